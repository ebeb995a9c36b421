"""Which arguments of ``mmvseg predict`` are videos, and which name the model."""

import json
import re

import pytest
from helpers import REPOSITORY

from mmvseg.commands import predict
from mmvseg.commands.parser import Parser, UsageError


def told_apart(*arguments):
    parser = Parser()
    predict.add_arguments(parser)
    args = parser.parse_intermixed_args(arguments)
    predict.tell_apart(args)
    return args.inputs, args.config, args.checkpoint, args.model


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ('a.mp4 c.py c.pth', (['a.mp4'], 'c.py', 'c.pth', None)),
        ('a.mp4 b.mp4 dvis c.pth', (['a.mp4', 'b.mp4'], 'dvis', 'c.pth', None)),
        ('a.mp4 --device cpu c.py c.pth', (['a.mp4'], 'c.py', 'c.pth', None)),
        ('a.mp4 b.mp4 --device cpu c.py c.pth', (['a.mp4', 'b.mp4'], 'c.py', 'c.pth', None)),
        ('--out x a.mp4 c.py --device cpu c.pth', (['a.mp4'], 'c.py', 'c.pth', None)),
        ('a.mp4 --model dvis', (['a.mp4'], None, None, 'dvis')),
        ('--model c.pth a.mp4 b.mp4 c d', (['a.mp4', 'b.mp4', 'c', 'd'], None, None, 'c.pth')),
        ('a.mp4 --model dvis b.mp4', (['a.mp4', 'b.mp4'], None, None, 'dvis')),
    ],
)
def test_inputs_and_model(arguments, expected):
    assert told_apart(*arguments.split()) == expected


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ('a.mp4', 'give --model MODEL'),
        ('a.mp4 c.py', 'give --model MODEL'),
        ('a.mp4 c.py c.pth --model dvis', 'not both'),
        ('a.mp4 --model dvis c.py', 'not both'),
        ('a.mp4 dvis c.pth --model dvis', 'not both'),
        ('a.mp4 --model dvis C.safetensors', 'not both'),
    ],
)
def test_a_model_is_given_in_one_way(arguments, message):
    with pytest.raises(UsageError, match=message):
        told_apart(*arguments.split())


@pytest.mark.parametrize(
    'text', [predict.__doc__, (REPOSITORY / 'README.md').read_text()], ids=['help', 'README']
)
def test_classes_of_the_examples_are_those_of_their_model(text):
    file = REPOSITORY / 'mmvseg/formats/categories/ytvis_2019.json'
    known = {category['name'] for category in json.loads(file.read_text())}
    chosen = re.findall(r'(?:--classes |\.of\()([\w ,\']+)', text)
    names = {name.strip("',") for part in chosen for name in part.split()}
    assert names
    assert names <= known


def test_classes_may_be_given_one_by_one():
    parser = Parser()
    predict.add_arguments(parser)
    given = ['a.mp4', '--model', 'dvis', '--classes', 'person', 'dog', '--classes', 'cat']
    assert parser.parse_intermixed_args(given).classes == ['person', 'dog', 'cat']
    assert parser.parse_intermixed_args(given[:3]).classes is None
