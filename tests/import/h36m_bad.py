"""h36m_bad.py FOLDER - what must be refused, below bad/; why.txt says NAME, a tab, words of the answer."""
from h36m import *  # which makes the sound ones, too

# --- pickles and archives ---
bad = folder("bad")
why = open(bad + "/why.txt", "w")
good = pickle.dumps(boxed({"S1": {"Walking": poses["S1"]["Walking"]}}), 3)


def refuse(name, words):
    cameras_h5(folder("bad/" + name) + "/cameras.h5")
    print(name, words, sep="\t", file=why)
    return "%s/%s/data_3d_h36m.npz" % (bad, name)


class Run:
    def __init__(self, what):
        self.what = what

    def __reduce__(self):
        return self.what


def word(op, text):
    return op + struct.pack("<I", len(text)) + text


npz_of(refuse("system", "refused: it names posix.system"), "positions_3d", pickle.dumps(Run((os.system, ("touch " + bad + "/ran",))), 3))
npz_of(refuse("system4", "refused: it names posix.system"), "positions_3d", pickle.dumps(boxed({"S1": Run((os.system, ("true",)))}), 4))
npz_of(refuse("eval", "refused: it names builtins.eval"), "positions_3d", pickle.dumps(Run((eval, ("1",))), 4))
npz_of(refuse("getattr", "refused: it names builtins.getattr"), "positions_3d", pickle.dumps(Run((getattr, (1, "real"))), 2).replace(b"__builtin__", b"builtins"))
npz_of(refuse("load", "refused: it names numpy.load"), "positions_3d", b"\x80\x03cnumpy\nload\n(X\x01\0\0\0xtR.")
npz_of(refuse("persistent", "instruction 0x51"), "positions_3d", b"\x80\x03K\x01Q.")
npz_of(refuse("build", "gives a state to what has none"), "positions_3d", b"\x80\x03}}b.")
npz_of(refuse("call", "calls what is no function"), "positions_3d", b"\x80\x03K\x01)R.")
npz_of(refuse("zero", "instruction 0x49"), "positions_3d", b"I1\n.")
npz_of(refuse("five", "protocol 5"), "positions_3d", b"\x80\x05N.")
npz_of(refuse("empty", "torn at byte 0"), "positions_3d", b"")
npz_of(refuse("cut", "torn at byte"), "positions_3d", good[:300])
npz_of(refuse("vast", "bytes are not there"), "positions_3d", b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x.")
npz_of(refuse("under", "nothing to take"), "positions_3d", b"\x80\x03a.")
npz_of(refuse("markless", "no mark"), "positions_3d", b"\x80\x03]e.")
npz_of(refuse("memo", "nothing was kept"), "positions_3d", b"\x80\x03h\x07.")
npz_of(refuse("far", "place 4294967295"), "positions_3d", b"\x80\x03Nr\xff\xff\xff\xff.")
npz_of(refuse("deep", "more than 65536 values at once"), "positions_3d", b"\x80\x03" + b"]" * 70000 + b".")
npz_of(refuse("odd", "a key without a value"), "positions_3d", b"\x80\x03}(K\x01u.")
npz_of(refuse("left", "left over"), "positions_3d", b"\x80\x03NN.")
npz_of(refuse("list", "expected a dict of subjects"), "positions_3d", pickle.dumps(boxed([1, 2]), 3))
npz_of(refuse("loop", "expected a dict of subjects"), "positions_3d", b"\x80\x03]q\0h\0a.")
npz_of(refuse("shape", "elements of 4 bytes expected"), "positions_3d", good.replace(b"K\x07K K\x03\x87", b"K\x09K K\x03\x87"))
npz_of(refuse("type", "elements of type 'V4'"), "positions_3d", good.replace(word(b"X", b"f4"), word(b"X", b"V4")))
npz_of(refuse("flat", "expected numbers [frames 32 3]"), "positions_3d", pickle.dumps(boxed({"S1": {"Walking": np.zeros((4, 17, 3), "f4")}}), 3))
npz_of(refuse("who", "expected S1 to S11"), "positions_3d", pickle.dumps(boxed({"S99": {"Walking": poses["S1"]["Walking"]}}), 3))
npz_of(refuse("away", "read any of the four ways"), "positions_3d", pickle.dumps(boxed({"S1": {"Walking": 40 + poses["S1"]["Walking"]}}), 3))
npz_of(refuse("millimetres", "read any of the four ways"), "positions_3d", pickle.dumps(boxed({"S1": {"Walking": 1000 * poses["S1"]["Walking"]}}), 3))
npz_of(refuse("nan", "read any of the four ways"), "positions_3d", pickle.dumps(boxed({"S1": {"Walking": np.nan * poses["S1"]["Walking"]}}), 3))
npz_of(refuse("other", "expected a member positions_3d.npy"), "positions_2d", good)


def zipped(name, words, change):
    path = refuse(name, words)
    npz_of(path, "positions_3d", good)
    z = bytearray(open(path, "rb").read())
    open(path, "wb").write(change(z))


def at(z, mark, offset, value):
    i = z.rindex(mark) + offset
    z[i:i + len(value)] = value
    return z


zipped("torn", "its end record is not there", lambda z: z[:len(z) // 2])
zipped("text", "no ZIP archive", lambda z: b"hello")
zipped("packed", "packed by method 12", lambda z: at(z, b"PK\1\2", 10, b"\x0c\0"))
zipped("bomb", "cannot come out of", lambda z: at(z, b"PK\1\2", 24, struct.pack("<I", 0xfffffff0)))
zipped("checksum", "its checksum is another", lambda z: at(z, b"PK\1\2", 16, b"abcd"))
zipped("encrypted", "is encrypted", lambda z: at(z, b"PK\1\2", 8, b"\1\0"))
zipped("members", "of its directory is torn", lambda z: at(z, b"PK\5\6", 10, b"\x40\0"))
zipped("nowhere", "of its directory is torn", lambda z: at(z, b"PK\5\6", 16, b"\xff\xff\xff\x7f"))
zipped("header", "its header is torn", lambda z: at(z, b"PK\1\2", 42, b"\xff\xff\0\0"))
zipped("deflate", "cannot be unpacked", lambda z: at(z, b"PK\3\4", 100, bytes(8)))


def npy(name, words, body):
    with zipfile.ZipFile(refuse(name, words), "w") as z:
        z.writestr("positions_3d.npy", body)


def header(text, data=b""):
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + data


npy("magic", "no npy of version 1 to 3", b"NUMPY" + bytes(40))
npy("version", "no npy of version 1 to 3", b"\x93NUMPY\x07\0" + bytes(40))
npy("long", "a header of 65000 bytes", b"\x93NUMPY\x01\0" + struct.pack("<H", 65000) + b"{}")
npy("code", "expected a quoted word", header(b"{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}"))
npy("record", "arrays of records", header(b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", bytes(12)))
npy("negative", "expected at most 6 extents", header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", bytes(12)))
npy("many", "expected at most 6 extents", header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1)}", bytes(4)))
npy("huge", "more elements than can be counted", header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999)}", bytes(4)))
npy("short", "3 elements of 4 bytes expected", header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", bytes(11)))
npy("unclosed", "expected", header(b"{'descr': '<f4'"))
npy("numbers", "expected a dict of subjects", header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", bytes(12)))


# --- annot.h5 ---
def refuse_annot(name, words, change):
    where = folder("bad/" + name + "/S1/Walking-1") + "/annot.h5"
    print(name, words, sep="\t", file=why)
    annot(where, 1, person(3, 2), 3)
    with h5py.File(where, "r+") as f:
        change(f)


def put(f, place, value):
    if place in f:
        del f[place]
    f[place] = value


def first(f, place, value):
    f[place][0] = value


refuse_annot("a1", "has no dataset 'pose/2d'", lambda f: f.__delitem__("pose/2d"))
refuse_annot("a2", "has no dataset 'pose/3d-univ'", lambda f: (f.__delitem__("pose/3d"), f.__delitem__("pose/3d-univ")))
refuse_annot("a3", "pose/2d: expected extents [ any 32 2 ], found [ 12 17 2 ]", lambda f: put(f, "pose/2d", np.zeros((12, 17, 2))))
refuse_annot("a4", "pose/3d: expected extents [ 12 32 3 ], found [ 11 32 3 ]", lambda f: put(f, "pose/3d", np.zeros((11, 32, 3))))
refuse_annot("a5", "has no dataset 'frame'", lambda f: f.__delitem__("frame"))
refuse_annot("a6", "frame: expected extents [ 12 ], found [ 5 ]", lambda f: put(f, "frame", np.arange(5)))
refuse_annot("a7", "camera[0] is 7, none of Human3.6M's four", lambda f: first(f, "camera", 7))
refuse_annot("a8", "subject[0] is 12, expected 1 to 11", lambda f: first(f, "subject", 12))
refuse_annot("a9", "subject[0] is 0, expected 1 to 11", lambda f: first(f, "subject", 0))
refuse_annot("a10", "intrinsics/54138969: expected 4 numbers", lambda f: put(f, "intrinsics/54138969", np.zeros(5)))
refuse_annot("a11", "subaction: expected extents [ 12 ], found [ 3 ]", lambda f: put(f, "subaction", np.arange(3)))
refuse_annot("a12", "frame: expected numbers", lambda f: put(f, "frame", np.array([b"x"] * 12)))
refuse_annot("a13", "pose/2d: expected numbers", lambda f: put(f, "pose/2d", np.zeros((12, 32, 2), [("a", "f4")])))
refuse_annot("a14", "pose/2d: 0 rows, expected 1 to", lambda f: put(f, "pose/2d", np.zeros((0, 32, 2))))
refuse_annot("a15", "is a link", lambda f: (f.__delitem__("pose/3d"), f.__setitem__("pose/3d", h5py.SoftLink("/pose/2d"))))
refuse_annot("a16", "cannot come out of a file", lambda f: (f.__delitem__("pose/2d"), f.create_dataset("pose/2d", (1 << 40, 32, 2), "f8", chunks=(1 << 12, 32, 2))))
refuse_annot("a17", "lies", lambda f: put(f, "pose/3d", f["pose/3d"][...] / 1000 + 5))
refuse_annot("a18", "not a person in metres", lambda f: (put(f, "pose/3d", 20 * f["pose/3d"][...])))
refuse_annot("a19", "holds no labelled sample", lambda f: (put(f, "pose/3d", np.nan * f["pose/3d"][...]), put(f, "pose/2d", np.nan * f["pose/2d"][...])))
refuse_annot("a20", "expected numbers, found something else", lambda f: (f.__delitem__("pose/2d"), f.create_group("pose/2d")))
with open(folder("bad/a21") + "/annot.h5", "w") as f:
    f.write("text")
print("a21", "not a readable HDF5 file", sep="\t", file=why)


# --- JSON ---
def refuse_json(name, words, **change):
    moon("bad/" + name, 1, {(2, 1): 3})
    print(name, words, sep="\t", file=why)
    for end, how in change.items():
        path = "%s/%s/Human36M_subject1_%s.json" % (bad, name, end)
        tree = how(json.load(open(path)))
        with open(path, "w") as f:
            f.write(tree if isinstance(tree, str) else json.dumps(tree))


def but(path, value):
    def how(tree):
        at = tree
        for k in path[:-1]:
            at = at[k]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        return tree
    return how


refuse_json("j1", "expected JSON, a map or a list", data=lambda t: "hello")
refuse_json("j2", "expected", data=lambda t: json.dumps(t)[:-400])
refuse_json("j3", "images[0]: expected whole numbers 'action_idx'", data=but(["images", 0, "action_idx"], "2"))
refuse_json("j4", "images[1]: expected whole numbers 'action_idx'", data=but(["images", 1, "frame_idx"], 1.5))
refuse_json("j5", "images[0]: expected whole numbers 'action_idx'", data=but(["images", 0, "subaction_idx"], 1 << 40))
refuse_json("j6", "annotations[0]: no whole number 'image_id'", data=but(["annotations", 0, "image_id"], None))
refuse_json("j7", "has no annotation", data=but(["annotations", 0, "image_id"], 999))
refuse_json("j8", "bbox: expected 4 numbers", data=but(["annotations", 0, "bbox"], [1, 2, 3]))
refuse_json("j9", "a 'cam_idx' of 1 to 4", data=but(["images", 0, "cam_idx"], 5))
refuse_json("j10", "expected whole numbers 'id', 'width', 'height'", data=but(["images", 0, "width"], -3))
refuse_json("j11", "camera '1': expected R 3x3, t 3, f 2, c 2", camera=but(["1", "R"], [[1, 0, 0]]))
refuse_json("j12", "camera '2': expected R 3x3, t 3, f 2, c 2", camera=but(["2", "t"], None))
refuse_json("j13", "has no camera 3", camera=but(["3"], None))
refuse_json("j14", "camera.json:1:1", camera=lambda t: "{")
refuse_json("j15", "expected 17 points of 3 numbers", joint_3d=but(["2", "1", "0"], [[0, 0, 0]] * 16))
refuse_json("j16", "expected 17 points of 3 numbers", joint_3d=but(["2", "1", "1"], [[0, 0]] * 17))
refuse_json("j17", "expected 17 points of 3 numbers", joint_3d=but(["2", "1", "2"], "nothing"))
refuse_json("j18", "expected numbers of an action and a subaction, found 'two'", joint_3d=lambda t: {"two": t["2"]})
refuse_json("j19", "holds no labelled sample", joint_3d=lambda t: {"3": t["2"]})
refuse_json("j20", "read any of the four ways", camera=lambda t: {k: {**c, "f": [9000, 9000]} for k, c in t.items()})
refuse_json("j21", "nested more than 64 deep", joint_3d=lambda t: '{"2": {"1": ' + "[" * 80 + "]" * 80 + "}}")
refuse_json("j22", "the camera's rotation is none", camera=lambda t: {k: {**c, "R": (1.5 * np.array(c["R"])).tolist(), "t": (1.5 * np.array(c["t"])).tolist()} for k, c in t.items()})


# --- cameras ---
def refuse_cameras(name, words, make):
    npz_of(folder("bad/" + name) + "/data_3d_h36m.npz", "positions_3d", good)
    print(name, words, sep="\t", file=why)
    make(bad + "/" + name)


def text(name, what):
    return lambda d: open(d + "/" + name, "w").write(what)


def damaged(place, value):
    def how(d):
        cameras_h5(d + "/cameras.h5")
        with h5py.File(d + "/cameras.h5", "r+") as f:
            put(f, place, value)
    return how


SOURCE = "h36m_cameras_extrinsic_params = {'S1': [{"
refuse_cameras("c1", "has no <w0>", text("metadata.xml", "<db></db>"))
refuse_cameras("c2", "<w0>: expected 300 numbers, found '' after 200", lambda d: (metadata_xml(d + "/metadata.xml", 200), open(d + "/metadata.xml", "r+").truncate(open(d + "/metadata.xml").read().index("]"))))
refuse_cameras("c3", "<w0>: expected 300 numbers, found 'nan 1' after 2", text("metadata.xml", "<w0>[1 2 nan 1"))
refuse_cameras("c4", "has no h36m_cameras_extrinsic_params", text("h36m_dataset.py", "import os\nos.system('true')\n"))
refuse_cameras("c5", "orientation: expected a list of 4 numbers", text("h36m_dataset.py", SOURCE + "'orientation': [1, 2, 3]}]}"))
refuse_cameras("c6", "orientation: expected a list of 4 numbers", text("h36m_dataset.py", SOURCE + "'orientation': exit()}]}"))
refuse_cameras("c7", "more than 4 cameras", text("h36m_dataset.py", SOURCE + "'orientation': [1, 0, 0, 0], 'translation': [0, 0, 0]}, {" * 5))
refuse_cameras("c8", "a translation before its orientation", text("h36m_dataset.py", SOURCE + "'translation': [1, 2, 3]}]}"))
refuse_cameras("c9", "no pose of a subject whose cameras", text("h36m_dataset.py", "h36m_cameras_extrinsic_params = {'S1': []}"))
refuse_cameras("c10", "not a readable HDF5 file", text("cameras.h5", "x"))
refuse_cameras("c11", "subject1/camera2/R: expected 9 numbers", damaged("subject1/camera2/R", np.zeros((3, 4))))
refuse_cameras("c12", "subject1/camera1/T: expected 3 numbers", damaged("subject1/camera1/T", np.zeros(2)))
refuse_cameras("c13", "subject5/camera1/k: expected 3 numbers", damaged("subject5/camera1/k", np.zeros(5)))
refuse_cameras("c14", "read any of the four ways", damaged("subject1/camera1/R", np.full((3, 3), np.nan)))
why.close()
