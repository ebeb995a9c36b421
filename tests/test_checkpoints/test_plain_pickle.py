"""Pickles of arrays are read; what could run code is refused by name and never runs."""

import collections
import io
import pickle
import struct

import numpy as np
import pytest
import torch
from unpickled import Payload

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.checkpoints.plain_pickle import RefusedPickleError, load_plain_pickle
from mmvseg.errors import UserError

ARRAYS = dict(
    plain=np.arange(12, dtype=np.float32).reshape(3, 4),
    fortran=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    big_endian=np.arange(4, dtype='>f8'),
    whole=np.array([-1, 2], dtype=np.int64),
    flags=np.array([True, False]),
    empty=np.zeros((0, 3), dtype=np.float32),
    single=np.array(2.5),
)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol(tmp_path, protocol):
    path = tmp_path / 'model.pkl'
    with open(path, 'wb') as file:
        pickle.dump(dict(model=ARRAYS, number=np.float64(0.5), author='x'), file, protocol)
    loaded = load_plain_pickle(path)
    assert loaded['number'] == 0.5
    assert loaded['author'] == 'x'
    for name, array in ARRAYS.items():
        tensor = loaded['model'][name]
        assert tensor.numpy().dtype == array.dtype.newbyteorder('=')
        np.testing.assert_array_equal(tensor.numpy(), array)


def test_tensors(tmp_path):
    path = tmp_path / 'model.pkl'
    weights = collections.OrderedDict(
        view=torch.arange(12.0).view(3, 4).T,
        half=torch.ones(3, dtype=torch.bfloat16),
        parameter=torch.nn.Parameter(torch.ones(2)),
    )
    path.write_bytes(pickle.dumps(dict(model=weights)))
    for name, tensor in load_plain_pickle(path)['model'].items():
        assert torch.equal(tensor, weights[name])


def test_bytes_of_python_2(tmp_path):
    path = tmp_path / 'model.pkl'
    values = struct.pack('<2f', 1.5, -2.0)
    # what numpy wrote under Python 2: the values as a byte string of protocol 2
    path.write_bytes(
        b'\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R'
        b'(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R'
        b'(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89'
        + b'U'
        + bytes([len(values)])
        + values
        + b'tbs.'
    )
    assert load_plain_pickle(path)['a'].tolist() == [1.5, -2.0]


def torch_file(value, new):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


@pytest.mark.parametrize('new', [True, False])
def test_numpy_in_files_of_torch(tmp_path, new):
    path = tmp_path / 'model.pth'
    path.write_bytes(torch_file(dict(model=dict(w=torch.ones(2)), meta=ARRAYS), new))
    meta = load_checkpoint_file(path)['meta']
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(meta[name].numpy(), array)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('suffix', ['.pkl', '.pth'])
def test_payload_in_a_pickle_is_refused_by_name(tmp_path, protocol, suffix):
    path, witness = tmp_path / f'model{suffix}', tmp_path / 'witness'
    path.write_bytes(pickle.dumps(dict(model=ARRAYS, evil=Payload(witness)), protocol))
    with pytest.raises(UserError, match=rf'model{suffix}.*(posix|nt)\.mkdir'):
        load_checkpoint_file(path)
    assert not witness.exists()


@pytest.mark.parametrize('new', [True, False])
def test_payload_in_a_file_of_torch_is_refused_by_name(tmp_path, new):
    path, witness = tmp_path / 'model.pth', tmp_path / 'witness'
    path.write_bytes(torch_file(dict(model=dict(w=torch.ones(1)), evil=Payload(witness)), new))
    with pytest.raises(UserError, match=r'model\.pth.*(posix|nt)\.mkdir'):
        load_checkpoint_file(path)
    assert not witness.exists()


def test_payload_inside_a_tensors_storage_is_refused(tmp_path):
    """Tensors in pickles hold files of torch, which are pickles again."""

    class Storage:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (torch_file(Payload(tmp_path / 'x'), True),)

    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(model=Storage())))
    with pytest.raises(UserError, match=r'model\.pkl'):
        load_checkpoint_file(path)
    assert not (tmp_path / 'x').exists()


def test_text_in_arrays(tmp_path):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(names=np.array(['a', 'bc']), name=np.str_('x'))))
    assert load_plain_pickle(path) == dict(names=['a', 'bc'], name='x')


@pytest.mark.parametrize(
    ('offset', 'size', 'stride'),
    [(0, (1000,), (1,)), (0, (2,), (10**9,)), (3, (2,), (1,)), (-1, (1,), (1,)), (0, (2,), (-1,))],
)
def test_tensors_outside_of_their_storage(tmp_path, offset, size, stride):
    class Outside:
        def __reduce__(self):
            storage = torch.ones(4).storage()
            return torch._utils._rebuild_tensor_v2, (storage, offset, size, stride, False, {})

    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(model=Outside())))
    with pytest.raises(UserError, match='a tensor cannot be read'):
        load_checkpoint_file(path)


@pytest.mark.parametrize(
    'name',
    ['_codecs encode', 'torch._utils _rebuild_parameter', 'numpy dtype', 'numpy ndarray'],
)
def test_what_a_pickle_may_call_cannot_be_changed_by_it(tmp_path, name):
    path = tmp_path / 'model.pkl'
    # BUILD, with a state for the attributes of the function
    text = 'c{}\n{}\n(N}}V__defaults__\n(Vx\ntstb.'
    path.write_bytes(text.format(*name.split()).encode())
    with pytest.raises(UserError, match='model'):
        load_checkpoint_file(path)
    path.write_bytes(pickle.dumps(dict(model=np.ones(2))))
    assert load_plain_pickle(path)['model'].tolist() == [1, 1]


def test_containers_that_hold_each_other_many_times(tmp_path):
    path = tmp_path / 'model.pkl'
    block = ['x']
    for _ in range(40):
        block = [block] * 10
    path.write_bytes(pickle.dumps(dict(model=np.ones(2), blocks=block)))
    assert load_plain_pickle(path)['model'].tolist() == [1, 1]


def test_payload_inside_an_array_of_objects_is_refused(tmp_path):
    path, witness = tmp_path / 'model.pkl', tmp_path / 'witness'
    objects = np.empty(1, dtype=object)
    objects[0] = Payload(witness)
    path.write_bytes(pickle.dumps(dict(model=objects)))
    with pytest.raises(UserError, match=r'model\.pkl.*mkdir'):
        load_checkpoint_file(path)
    assert not witness.exists()
    objects[0] = 'harmless'
    path.write_bytes(pickle.dumps(dict(model=objects)))
    with pytest.raises(UserError, match=r"cannot be read.*array of type 'O8'"):
        load_checkpoint_file(path)


@pytest.mark.parametrize(
    'kind', [eval, getattr, __import__, type('Own', (), {}), torch.nn.Linear, pickle.loads]
)
def test_functions_and_classes_are_refused(tmp_path, kind):
    path = tmp_path / 'model.pkl'
    path.write_bytes(f'c{kind.__module__}\n{kind.__name__}\n.'.encode())
    with pytest.raises(RefusedPickleError, match=kind.__name__):
        load_plain_pickle(path)


@pytest.mark.parametrize('content', [b'', b'hello', b'\x80\x04', b'\x80\x04K\x01', b'cos\n'])
def test_what_is_no_pickle_is_a_clear_error(tmp_path, content):
    path = tmp_path / 'model.pkl'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'model\.pkl: cannot be read'):
        load_checkpoint_file(path)


def test_cut_off_pickle(tmp_path):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(model=ARRAYS))[:-40])
    with pytest.raises(UserError, match='cut off'):
        load_checkpoint_file(path)
