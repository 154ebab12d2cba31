"""Writes the .mat files of the tests as MATLAB's own format, by SciPy: `python3 make.py` in this folder."""
import numpy as np
import scipy.io

number = lambda value: np.uint8([[value]])
fields = ["bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname"]


def annotations(classes):
    rows = [tuple(number(k) for k in (1, 2, 3, 4, c)) + ("%05d.jpg" % (i + 1),) for i, c in enumerate(classes)]
    return {"annotations": np.array([rows], dtype=[(name, "O") for name in fields])}


names = np.array([["AM General Hummer SUV 2000", "Audi TT RS Coupe 2012"]], dtype=object)
for file, content in {
    "cars_meta": {"class_names": names},
    "cars_train_annos": annotations([1, 2, 2, 1]),
    "cars_test_annos_withlabels": annotations([2, 1]),
    "cars_bad_annos": annotations([2, 3]),
    "imagelabels": {"labels": np.uint8([[77, 1, 2, 102, 5, 6]])},
    "setid": {"trnid": np.uint16([[4, 1]]), "valid": np.uint16([[2, 5]]), "tstid": np.uint16([[3, 6]])},
}.items():
    scipy.io.savemat(f"{file}.mat", content, do_compression=True)
