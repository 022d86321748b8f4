"""Model files: what goes in comes out, and whatever is wrong with a file is said as a FileFormatError."""

import errno
import hashlib
import json
import os
import stat
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kilonet as kn
from kilonet import persistence
from kilonet.errors import FileFormatError
from kilonet.persistence import SavedModel, container, load, save, versions
from kilonet.persistence import atomic as atomic_module

NETWORK = kn.Network([3, kn.Dense(4, kn.tanh), kn.Maxout(5, 2), 2])
ENCODER = kn.TableEncoder().fit(np.array([[0.1, "a"], [1 / 3, "ü\x00\n"]], object))
RECIPE = kn.Recipe.make(optimizer=kn.Momentum(0.1), epochs=3, l2=1e-3, seeds=[7], stopping=kn.Stopping(patience=2))


def a_model(**changes):
    """A model with something in every field."""
    rng = np.random.default_rng(0)
    n = NETWORK.n_parameters
    model = SavedModel(
        network=NETWORK,
        loss=kn.cross_entropy(0.1),
        recipe=RECIPE,
        theta=rng.standard_normal(n).astype(np.float32),
        task="classification",
        encoder=ENCODER.to_json(),
        classes=np.array(["no", "yes"]),
        feature_names=("a", "größe"),
        target_name="bought",
        history={"loss": np.array([0.5, 0.25, np.nan]), "score": np.array([0.1, 0.2, np.nan])},
        state={
            "theta": rng.standard_normal((1, n)).astype(np.float32),
            "slots": np.zeros((1, 1, n), np.float32),
            "step": np.array([12]),
            "epoch": np.array([3]),
            "history": np.zeros((3, 1, 4)),
            "sums": np.zeros((1, 4)),
            "stopped": np.array([True]),
        },
        extra={"estimator": {"hidden": [4, 5]}},
    )
    return replace(model, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.kn"


def header_of(data):
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def file_of(header, body, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def forged(change_header=None, change_description=None, body=None):
    """A model file changed by somebody who also put the checksum right again."""
    header, old = header_of(container.pack(*parts(a_model())))
    if change_header:
        change_header(header)
    description = json.loads(header["__metadata__"]["kilonet"])
    if change_description:
        change_description(description)
    digits = description["checksum"]
    header["__metadata__"]["kilonet"] = json.dumps(description, separators=(",", ":"))
    data = file_of(header, old if body is None else body)
    blank = data.replace(digits.encode(), b"0" * 64, 1)
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


def parts(model):
    return persistence._tensors(model), persistence._description(model)


class TestRoundTrip:
    def test_everything_comes_back(self, path):
        model = a_model()
        assert save(model, path) == path
        back = load(path)
        assert (back.network, back.loss, back.recipe) == (model.network, model.loss, model.recipe)
        assert (back.task, back.encoder, back.feature_names) == (model.task, model.encoder, model.feature_names)
        assert (back.target_name, back.extra, back.versions) == (model.target_name, model.extra, versions())
        assert back.classes.dtype == model.classes.dtype
        assert back.classes.tolist() == ["no", "yes"]
        assert back.theta.dtype == np.float32
        for ours, theirs in (
            (model.history, back.history),
            (model.state, back.state),
            ({"": model.theta}, {"": back.theta}),
        ):
            assert ours.keys() == theirs.keys()
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name])

    def test_regression_with_population_in_float64(self, path):
        net = kn.Network([2, 1])
        recipe = kn.Recipe.make(seeds=[0, 1], dtype="float64", optimizer=kn.SGD((0.1, 0.2)))
        theta = np.array([[1 / 3, 2, 3], [4, 5, 1e-300]])
        model = SavedModel(
            net, kn.huber(2.0), recipe, theta, "regression", target_mean=np.array([3.0]), target_scale=np.array([0.1])
        )
        save(model, path)
        back = load(path)
        assert back.theta.tobytes() == theta.tobytes()
        assert (back.loss, back.recipe, back.state) == (kn.huber(2.0), recipe, None)
        assert (back.target_mean.tolist(), back.target_scale.tolist()) == ([3.0], [0.1])
        for flat in (np.zeros(3), np.zeros((3, 3))):
            with pytest.raises(FileFormatError, match=r"needs \(epochs, 2\), one curve per member"):
                save(replace(model, history={"loss": flat}), path)
        save(replace(model, history={"loss": np.zeros((3, 2))}), path)

    @pytest.mark.parametrize(
        "labels",
        [
            np.array([-3, 5]),
            np.array([2, 200], np.uint8),
            np.array([False, True]),
            np.array([0.5, 1.5], np.float32),
            np.array(["a", "b"], object),
            np.array([1, "b"], object),
            np.array(["été", "\U0001f600"]),
        ],
        ids=str,
    )
    def test_labels_keep_values_and_types(self, path, labels):
        save(a_model(classes=labels), path)
        back = load(path).classes
        assert back.dtype == labels.dtype
        assert [(type(x), x) for x in back.tolist()] == [(type(x), x) for x in labels.tolist()]

    def test_equal_models_give_equal_bytes(self, tmp_path):
        first, second = tmp_path / "a.kn", tmp_path / "b.kn"
        save(a_model(), first)
        save(a_model(), second)
        assert first.read_bytes() == second.read_bytes()

    def test_arrays_can_be_written_to_after_loading(self, path):
        save(a_model(), path)
        load(path).theta[0] = 1.0

    def test_other_tools_can_read_the_tensors(self, path):
        safetensors = pytest.importorskip("safetensors.numpy")
        save(a_model(), path)
        np.testing.assert_array_equal(safetensors.load_file(path)["theta"], a_model().theta)

    def test_zeros_in_the_description_are_not_taken_for_the_checksum(self, path):
        save(a_model(target_name="0" * 64, extra={"checksum": "0" * 64}), path)
        assert load(path).target_name == "0" * 64


class TestRefusedWhenSaving:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"theta": np.zeros(5, np.float32)}, r"theta has shape \(5,\); the network .* needs \(\.\.\., 78\)"),
            ({"theta": np.full(78, np.nan, np.float32)}, "NaN"),
            ({"theta": np.zeros(78)}, "float64, but the recipe says float32"),
            ({"theta": np.zeros((2, 78), np.float32)}, "2 members, but the recipe has 1"),
            ({"recipe": RECIPE.but(seeds=[1, 2])}, "theta has 1 members, but the recipe has 2 seeds"),
            ({"history": {"loss": np.zeros((3, 2))}}, r"history has shape \(3, 2\); it needs \(epochs,\)"),
            ({"history": {"loss": np.zeros(())}}, r"history has shape \(\); it needs \(epochs,\)"),
            ({"classes": np.array([1, 2, 3])}, "3 classes, but the network has 2 outputs"),
            ({"classes": None}, "no classes"),
            ({"task": "guessing"}, "unknown"),
            ({"encoder": None, "feature_names": ("a",)}, "1 column names, but the network takes 3"),
            ({"classes": np.array([(1, 2), None], object)}, "of type tuple"),
            ({"history": {"loss": np.zeros(3), "score": np.zeros(2)}}, "different shapes"),
            ({"extra": {"x": np.inf}}, "cannot be described"),
            ({"extra": {"x": object()}}, "cannot be described"),
        ],
    )
    def test_models_that_do_not_fit_together(self, path, changes, says):
        with pytest.raises(FileFormatError, match=says):
            save(a_model(**changes), path)
        assert list(path.parent.iterdir()) == []

    def test_a_custom_loss(self, path):
        class Mine:
            """A loss of the user's own."""

            def value(self, scores, targets):
                return (scores - targets)[..., 0]

            slope = value

        with pytest.raises(FileFormatError, match="user's own"):
            save(a_model(loss=Mine()), path)


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "is empty"),
            (b"abc", "not a safetensors file"),
            (
                b"a,b\n1,2\n3,4\n",
                "not a safetensors file. Models are written by `kilonet fit --out` and by model.save",
            ),
            (b"\x80\x04\x95" + b"x" * 50, "not a safetensors file"),
            (struct.pack("<Q", 2**63) + b"{}", "declares a header of 9,223,372,036,854,775,808 bytes"),
            (struct.pack("<Q", 5000) + b'{"a":', "is cut: 4,995 bytes"),
            (file_of(b'{"a":' + b"[" * 200_000, b""), "header is not JSON"),
            (file_of(b'{"a":NaN}', b""), "NaN is not a JSON number"),
            (file_of(b'{"a":' + b"9" * 5000 + b"}", b""), "header is not JSON"),
            (file_of(b'{"\xff": 1}', b""), "header is not JSON"),
            (file_of({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"1234"), "not a Kilonet model"),
            (file_of({"__metadata__": {"kilonet": "[1]"}}, b""), "description is not a JSON object"),
            (file_of({"__metadata__": {"kilonet": '{"a":' + "[" * 100_000}}, b""), "description is not JSON"),
            (file_of({"__metadata__": {"kilonet": "{}"}}, b""), "no format version"),
            (file_of({"__metadata__": {"kilonet": '{"format":true}'}}, b""), "no format version"),
            (file_of({"__metadata__": {"kilonet": '{"format":3}'}}, b""), "format 3, newer than format 2"),
            (file_of({"__metadata__": {"kilonet": '{"format":1}'}}, b""), "no checksum"),
            (file_of({"__metadata__": {"kilonet": '{"format":1,"checksum":"00"}'}}, b""), "edited"),
        ],
    )
    def test_each_gets_its_own_message(self, path, data, says):
        path.write_bytes(data)
        with pytest.raises(FileFormatError, match=says) as caught:
            load(path)
        assert str(caught.value).startswith(str(path))

    def test_cut(self, path):
        save(a_model(), path)
        data = path.read_bytes()
        path.write_bytes(data[:-100])
        with pytest.raises(FileFormatError, match="is cut: 100 bytes are missing"):
            load(path)

    def test_with_something_behind(self, path):
        save(a_model(), path)
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(FileFormatError, match="1 bytes follow after its end"):
            load(path)

    @pytest.mark.parametrize("place", ["description", "tensor", "padding"])
    def test_edited(self, path, place):
        save(a_model(target_name="price"), path)
        data = path.read_bytes()
        header_end = 8 + struct.unpack("<Q", data[:8])[0]
        edits = {
            "description": data.replace(b"price", b"prize", 1),
            "tensor": data[:-1] + bytes([data[-1] ^ 1]),
            "padding": data[: header_end - 1] + b"\t" + data[header_end:],
        }
        assert edits[place] != data
        if place == "padding" and data[header_end - 1 : header_end] != b" ":
            pytest.skip("this header happens to need no padding")
        path.write_bytes(edits[place])
        with pytest.raises(FileFormatError, match="edited or damaged"):
            load(path)

    def test_folder_and_device(self, tmp_path):
        for name in (tmp_path, "/dev/zero"):
            with pytest.raises(FileFormatError, match="not a plain file"):
                load(name)

    def test_missing(self, path):
        with pytest.raises(FileNotFoundError):
            load(path)


def _tensor(name, **changes):
    return lambda header: header[name].update(changes)


def _overlap(header):
    header["history.score"]["data_offsets"] = header["history.loss"]["data_offsets"]


def _set(*keys, value):
    def change(description):
        for key in keys[:-1]:
            description = description[key]
        description[keys[-1]] = value

    return change


class TestHostileFiles:
    """Files whose checksum is right, made by somebody who knows how: the checksum is no lock."""

    def test_the_forger_can_forge(self, path):
        path.write_bytes(forged())
        assert load(path).target_name == "bought"

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (_overlap, "does not hold together"),
            (_tensor("theta", data_offsets=[0, 312]), "312 bytes follow"),
            (_tensor("history.loss", data_offsets=[24, 0]), "does not hold together"),
            (_tensor("history.loss", data_offsets=[-24, 0]), "does not hold together"),
            (_tensor("theta", data_offsets=[0, 2**70]), "is cut"),
            (_tensor("theta", data_offsets="x"), "has no place"),
            (_tensor("theta", shape=[2**62, 2**62]), "does not hold together"),
            (_tensor("theta", shape=[-78]), "does not hold together"),
            (_tensor("theta", shape=[2, 39]), "theta has 2 members|needs"),
            (_tensor("theta", dtype="BF16", shape=[156]), "numbers of type BF16"),
            (_tensor("theta", dtype="F64", shape=[39]), "needs"),
            (_tensor("theta", dtype="I32"), "numbers of type I32"),
            (_tensor("theta", dtype="PICKLE"), "does not hold together"),
            (lambda header: header.update(other=header.pop("theta")), "no tensor 'theta'"),
            (_tensor("state.slots", shape=[1, 78, 1]), "'slots' has shape"),
            (_tensor("state.sums", shape=[4, 1]), "'sums' has shape"),
        ],
    )
    def test_headers(self, path, change, says):
        path.write_bytes(forged(change_header=change))
        with pytest.raises(FileFormatError, match=says):
            load(path)

    @pytest.mark.parametrize(
        "change",
        [
            _set("network", value=None),
            _set("network", value={}),
            _set("network", value={"layers": [10**30]}),
            _set("network", value=[[[]]]),
            _set("loss", value={"name": "__import__('os').system('true')"}),
            _set("loss", value="cross_entropy.__class__"),
            _set("loss", value={"name": "cross_entropy", "smoothing": 1e999}),
            _set("recipe", value={}),
            _set("recipe", "epochs", value=-1),
            _set("recipe", "epochs", value="many"),
            _set("recipe", "optimizer", value={"name": "sgd", "rate": []}),
            _set("recipe", "stopping", value={"wait": 3}),
            _set("recipe", "__class__", value=1),
            _set("recipe", "dtype", value="float64"),
            _set("recipe", "seeds", value=[1, 2, 3]),
            _set("encoder", value=3),
            _set("encoder", value=kn.TableEncoder().fit([[1.0, 2.0], [2.0, 1.0]]).to_json()),
            _set("feature_names", value=["a"]),
            _set("classes", value={"dtype": "object", "values": [[1]]}),
            _set("classes", value={"dtype": "int8", "values": [1, 300]}),
            _set("classes", value={"dtype": "V8", "values": [1, 3]}),
            _set("classes", value={"dtype": "int64", "values": ["1", "3"]}),
            _set("classes", value=7),
            _set("feature_names", value="abc"),
            _set("target_name", value=5),
            _set("task", value=["regression"]),
            _set("extra", value=None),
            lambda description: description.pop("recipe"),
        ],
    )
    def test_descriptions(self, path, change):
        path.write_bytes(forged(change_description=change))
        with pytest.raises(FileFormatError):
            load(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_damage_only_ever_gives_a_file_format_error(tmp_path_factory, data):
    whole = container.pack(*parts(a_model()))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)), label="length")])
    flips = st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 255)), max_size=5)
    for place, bits in data.draw(flips, label="flips"):
        if place < len(damaged):
            damaged[place] ^= bits
    path = tmp_path_factory.getbasetemp() / "damaged.kn"
    path.write_bytes(damaged)
    if bytes(damaged) == whole:
        load(path)
        return
    with pytest.raises(FileFormatError):
        load(path)


def test_every_single_byte_counts():
    """Cheaper than files: every byte in turn, with one bit of it changed."""
    whole = container.pack({"theta": np.arange(3.0)}, {"task": "regression"})
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FileFormatError):
            container.unpack(bytes(damaged), "x")


class TestWritingInOneStep:
    @pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
    def test_a_failed_write_leaves_the_old_file_and_no_other(self, path, monkeypatch, step, error):
        save(a_model(), path)
        before = path.read_bytes()

        def fail(*_):
            raise error

        monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, step)), fail)
        with pytest.raises(type(error)):
            save(a_model(target_name="new"), path)
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == ["model.kn"]

    def test_the_bytes_reach_the_disk_before_the_name(self, path, monkeypatch):
        steps = []
        really_sync, really_replace = os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("sync"), really_sync(handle))[1])
        monkeypatch.setattr(Path, "replace", lambda *names: (steps.append("rename"), really_replace(*names))[1])
        save(a_model(), path)
        assert steps == ["sync", "rename", "sync"]  # the file, its name, the folder

    def test_the_new_file_is_as_readable_as_any_other(self, path):
        plain = path.with_name("plain")
        plain.touch()
        save(a_model(), path)
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
        path.chmod(0o640)
        save(a_model(), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def test_a_link_stays_a_link(self, path):
        link = path.with_name("link.kn")
        path.touch()
        link.symlink_to(path)
        save(a_model(), link)
        assert link.is_symlink()
        assert load(path).target_name == "bought"

    @pytest.mark.parametrize(
        ("name", "error", "says"),
        [
            ("no/such/folder/m.kn", FileNotFoundError, "there is no folder"),
            (".", IsADirectoryError, "is a folder"),
            ("/dev/null", OSError, "device or a pipe"),
        ],
    )
    def test_places_where_no_file_can_be(self, tmp_path, name, error, says):
        with pytest.raises(error, match=says):
            save(a_model(), tmp_path / name)
        with pytest.raises(error, match=says):
            atomic_module.writable(tmp_path / name)
