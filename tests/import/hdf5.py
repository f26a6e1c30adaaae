"""hdf5.py FOLDER - foreign HDF5 as h5py writes it: every kind of number and text, and what must be refused."""
import sys

try:
    import h5py
    import numpy as np
except ImportError:
    sys.exit(77)

folder = sys.argv[1]
with h5py.File(folder + "/kinds.h5", "w") as f:
    f.attrs["name"] = "mpii"
    f.attrs["fixed"] = np.bytes_("plain")
    f.attrs["number"] = 2.5
    x = np.arange(24).reshape(4, 3, 2) / 4 - 1
    for kind in ("f2", "f4", "f8", ">f4", ">f8"):
        f["as_" + kind.replace(">", "big_")] = x.astype(kind)
    for kind in ("i1", "u1", "i2", "u2", "i4", "u8", ">i2"):
        f["as_" + kind.replace(">", "big_")] = np.arange(12).reshape(6, 2).astype(kind)
    f["flag"] = np.array([True, False, True])
    f["one"] = 7.25
    f["empty"] = np.zeros((0, 3))
    f["packed"] = 0
    del f["packed"]
    f.create_dataset("packed", data=np.arange(5000.0).reshape(1000, 5), chunks=(100, 5), compression="gzip", shuffle=True, fletcher32=True)
    f["names"] = np.array([b"a.jpg", b"bb.jpg", b"ccccc.jpg"])
    f.create_dataset("loose", data=["first", "", "third one"], dtype=h5py.string_dtype())
    codes = np.zeros((2, 16))
    for row, text in enumerate(("015601864.jpg", "x.png")):
        codes[row, : len(text)] = [ord(c) for c in text]
    f["codes"] = codes
    f["group/below/deep"] = np.float32([[1, 2], [3, 4]])
    cells = [f.create_dataset("hidden/c%d" % i, data=np.full((2, 3), i)) for i in range(3)]
    person = f.create_group("hidden/p")
    person["annot2"] = np.arange(6.0).reshape(3, 2)
    f.create_dataset("cells", data=[[c.ref for c in cells], [person.ref, cells[0].ref, cells[1].ref]], dtype=h5py.ref_dtype)

with h5py.File(folder + "/other.h5", "w") as f:
    f["x"] = np.zeros(4)
with open(folder + "/raw.bin", "wb") as f:
    f.write(bytes(64))
with h5py.File(folder + "/links.h5", "w") as f:
    f["inside"] = np.zeros(3)
    f["soft"] = h5py.SoftLink("/inside")
    f["away"] = h5py.ExternalLink("other.h5", "/x")
    f.create_dataset("outside", (8,), "f8", external=[(folder + "/raw.bin", 0, 64)])
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(folder + "/other.h5", "x", (4,))
    f.create_virtual_dataset("virtual", layout)
    f.create_dataset("vast", (1 << 40,), "f8", chunks=(1 << 16,))
    f.create_dataset("lzf", data=np.arange(100.0), compression="lzf", chunks=(10,))
    f["compound"] = np.zeros(2, [("a", "f8"), ("b", "i4")])
with open(folder + "/torn.h5", "wb") as out:
    out.write(open(folder + "/kinds.h5", "rb").read()[:3000])
