import pytest

from mmvseg.datasets import Category, VIPSegDataset, VSPWDataset, YouTubeVISDataset
from mmvseg.datasets.class_names import match_classes
from mmvseg.datasets.metainfo import check_class_names, to_metainfo, to_panoptic_metainfo
from mmvseg.errors import UserError

CUP, FORK = Category(7, 'cup', (9, 0, 0)), Category(3, 'fork', (0, 9, 0))
FOUND = to_metainfo([CUP, FORK])


def test_same_classes_need_nothing():
    assert match_classes(FOUND, FOUND, 'val.json', ['vis']) == (FOUND, '')


def test_another_order_is_mapped_by_name():
    matched, remark = match_classes(FOUND, dict(classes=['fork', 'cup']), 'val.json', ['vis'])
    assert matched == to_metainfo([FORK, CUP])
    assert remark == ('val.json lists the classes in another order than the model; mapped by name')


def test_classes_that_the_file_lacks_have_no_id():
    model = dict(classes=['fork', 'spoon', 'cup'])
    matched, remark = match_classes(FOUND, model, 'val.json', ['vis'])
    assert matched['classes'] == ('fork', 'spoon', 'cup')
    assert matched['category_ids'] == (3, None, 7)
    assert (matched['palette'][0], matched['palette'][2]) == ((0, 9, 0), (9, 0, 0))
    assert remark == (
        'val.json has 2 of the 3 classes of the model; results of the others are left out: spoon'
    )
    for task in ('vps', 'vss'):
        with pytest.raises(UserError, match=r'val\.json: lacks the classes spoon of the model'):
            match_classes(FOUND, model, 'val.json', [task])


def test_classes_that_the_model_does_not_know():
    model = dict(classes=['cup', 'spoon'])
    message = r"val\.json: .*not trained on: fork \(it knows cup, spoon\).*\(classes=\['cup'\]\)"
    with pytest.raises(UserError, match=message):
        match_classes(FOUND, model, 'val.json', ['vis'])
    with pytest.raises(UserError, match=r'not trained on: fork .*remove or rename'):
        match_classes(FOUND, model, 'val.txt', ['vss'])
    with pytest.raises(UserError, match='none of its classes is one of the model: it has cup, fo'):
        match_classes(FOUND, dict(classes=['spoon']), 'val.json', ['vis'])


def test_things_and_stuff():
    sky = Category(1, 'sky', (0, 0, 9), is_thing=False)
    found = to_panoptic_metainfo([CUP, FORK, sky])
    model = dict(classes=['cup', 'fork', 'sky'], thing_classes=['cup', 'fork'])
    for model_meta in (model, dict(classes=model['classes'])):
        matched, remark = match_classes(found, model_meta, 'val.json', ['vps'])
        assert matched['category_ids'] == (7, 3, 1)
        assert (matched['thing_classes'], matched['stuff_classes']) == (('cup', 'fork'), ('sky',))
        assert 'another order' in remark
    model['thing_classes'] = ['cup']
    with pytest.raises(UserError, match=r'val\.json: fork: things in one of model and data'):
        match_classes(found, model, 'val.json', ['vps'])
    assert match_classes(found, model, 'val.txt', ['vss'])[0]['category_ids'] == (7, 3, 1)
    with pytest.raises(UserError, match='sky, fork: things in one'):
        match_classes(found, dict(classes=['cup', 'sky', 'fork']), 'val.json', ['vps'])


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        ('cup', r"classes is a text \('cup'\); a list of names is needed: classes=\['cup'\]$"),
        ([], 'classes is empty'),
        (['cup', 'fork', 'cup'], "names 'cup' twice"),
        (['cup', 3], r'classes\[1\] = 3 is not a name'),
        (5, 'is of type int; a list of names'),
    ],
)
@pytest.mark.parametrize('kind', [YouTubeVISDataset, VIPSegDataset, VSPWDataset])
def test_chosen_classes_are_a_list_of_names(kind, classes, message):
    with pytest.raises(UserError, match=message):
        kind(ann_file='absent.json', metainfo=dict(classes=classes))
    check_class_names(dict(classes=('cup',)))
    check_class_names(None)


def test_a_built_dataset_takes_the_order_of_a_model(content, make_dataset):
    dataset = make_dataset(content, test_mode=True)
    assert dataset.metainfo['category_ids'] == (7, 3)
    assert 'annotations.json lists' in dataset.number_classes_as(dict(classes=['fork', 'cup']))
    assert dataset.metainfo['classes'] == ('fork', 'cup')
    assert dataset.metainfo['category_ids'] == (3, 7)
    assert dataset.number_classes_as(dict(classes=['fork', 'cup'])) == ''
