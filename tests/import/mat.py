"""mat.py FOLDER - one tree of everything as MATLAB files of version 5, packed or not (SciPy), and 7.3 (h5py)."""
import sys

try:
    import h5py
    import numpy as np
    import scipy.io
except ImportError:
    sys.exit(77)

folder = sys.argv[1]
grid = np.arange(24.0).reshape(2, 3, 4)
people = np.zeros((1, 2), dtype=[("name", object), ("annot2", object), ("valid", object)])
for i, name in enumerate(("first", "second")):
    people[0, i]["name"] = name
    people[0, i]["annot2"] = np.arange(6.0).reshape(2, 3) + 10 * i
    people[0, i]["valid"] = np.array(i == 1)
cells = np.empty((2, 2), object)
cells[0, 0], cells[0, 1] = np.float32([[1.5, 2.5]]), "text"
cells[1, 0], cells[1, 1] = people, np.zeros((0, 0))
tree = {"grid": grid, "small": np.int16([[-3, 7]]), "cells": cells, "people": people, "one": 2.5, "word": "hello", "nothing": np.zeros((0, 0))}
scipy.io.savemat(folder + "/plain.mat", tree)
scipy.io.savemat(folder + "/packed.mat", tree, do_compression=True)


class New:
    """What MATLAB's -v7.3 makes of it: extents reversed, cells and fields of many structs by reference below #refs#."""

    def __init__(self, path):
        self.f = h5py.File(path, "w", userblock_size=512)
        self.n = 0

    def put(self, where, name, x):
        if isinstance(x, str):
            d = where.create_dataset(name, data=np.array([[ord(c)] for c in x], np.uint16))
            d.attrs["MATLAB_class"], d.attrs["MATLAB_int_decode"] = np.bytes_("char"), np.int32(2)
        elif isinstance(x, np.ndarray) and x.dtype.names:
            g = where.create_group(name)
            g.attrs["MATLAB_class"] = np.bytes_("struct")
            for field in x.dtype.names:
                g.create_dataset(field, data=[[self.hide(x[i, k][field]) for i in range(x.shape[0])] for k in range(x.shape[1])], dtype=h5py.ref_dtype)
        elif isinstance(x, np.ndarray) and x.dtype == object:
            d = where.create_dataset(name, data=[[self.hide(x[i, k]) for i in range(x.shape[0])] for k in range(x.shape[1])], dtype=h5py.ref_dtype)
            d.attrs["MATLAB_class"] = np.bytes_("cell")
        else:
            x = np.atleast_2d(x)
            empty = x.size == 0
            d = where.create_dataset(name, data=np.uint64(x.shape) if empty else x.T)
            d.attrs["MATLAB_class"] = np.bytes_("double")
            if empty:
                d.attrs["MATLAB_empty"] = np.uint8(1)

    def hide(self, x):
        name = "#refs#/%d" % self.n
        self.n += 1
        self.put(self.f, name, x)
        return self.f[name].ref


new = New(folder + "/new.mat")
for key, value in tree.items():
    new.put(new.f, key, value)
new.f.close()

whole = bytearray(open(folder + "/plain.mat", "rb").read())
open(folder + "/torn.mat", "wb").write(whole[:400])
at = whole.find(np.int32([2, 3, 4]).tobytes())
whole[at:at + 12] = np.int32([2, 30000, 30000]).tobytes()
open(folder + "/vast.mat", "wb").write(whole)
