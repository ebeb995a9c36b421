from track_scenes import content, entries, evaluate

from mmvseg.evaluation.functional.tracking_tables import tracking_tables


def rows(table):
    cells = [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.splitlines()]
    return {row[0]: row[1:] for row in cells if row}


def test_classes_that_occur_and_means():
    truth = content(
        entries(['aaaa', 'bbbb']) + entries(['cccc'], category_id=2), [4], num_categories=3
    )
    results = entries(['aabb', 'b.aa']) + entries(['cccc', 'dddd', 'dddd'], category_id=2)
    found = rows(tracking_tables(evaluate(truth, results)))
    columns = ['HOTA', 'DetA', 'AssA', 'LocA', 'MOTA', 'IDF1', 'IDSW', 'Frag']
    assert found[''] == columns
    # The second switches although it was missed in between.
    assert found['class_1'][1] == '87.5'
    assert found['class_1'][-2:] == ['2', '1']
    assert found['class_2'][4] == '-100.0'
    assert 'class_3' not in found
    mean = found['mean of the 2 of 3 classes that occur']
    assert float(found['cls_comb_cls_av'][3]) < 100 + 1e-9
    assert mean[1] == f'{(87.5 + 100 / 3) / 2:.1f}'
    assert found['cls_comb_cls_av'][1] == f'{(87.5 + 100 / 3) / 3:.1f}'


def test_no_further_mean_where_all_classes_occur():
    table = tracking_tables(evaluate(content(entries(['a']), [1]), entries(['a'])))
    assert list(rows(table)) == ['', 'class_1', 'cls_comb_cls_av', 'cls_comb_det_av']


def test_names_cannot_steer_the_terminal():
    truth = content(entries(['a']), [1])
    truth['categories'][0]['name'] = '\x1b[31mred'
    assert r'| \x1b[31mred ' in tracking_tables(evaluate(truth, entries(['a'])))
