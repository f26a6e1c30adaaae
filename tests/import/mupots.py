"""mupots.py FOLDER - TS1 and TS6 of the owner's (MATLAB 5) below mat/, the same passed on as JSON, and MuCo's JSON."""
import json
import os
from people import *

folder = sys.argv[1]
FRAMES, PERSONS = 3, 2
images, annotations = [], []
for ts, f, c, size in ((1, (1500., 1501.), (1024., 1020.), (2048, 2048)), (6, (1200., 1200.), (960., 540.), (1920, 1080))):
    os.makedirs(f"{folder}/mat/TS{ts}")
    xyz = np.array([[person(50 * ts + 10 * i + k, (1.2 * k - .6, 0, 4 + k)) for k in range(PERSONS)] for i in range(FRAMES)])[:, :, MPI17]
    uv = project(xyz, f, c)
    hidden = (np.arange(17) + np.arange(PERSONS)[:, None]) % 5 == 0

    def struct_of(i, k):
        s = np.zeros((1, 1), [(name, object) for name in ("annot2", "annot3", "univ_annot3", "isValidFrame")])
        s[0, 0] = (uv[i, k].T, 1000 * xyz[i, k].T, 900 * xyz[i, k].T, np.array(not (i == 1 and k == 1)))
        return s

    scipy.io.savemat(f"{folder}/mat/TS{ts}/annot.mat", {"annotations": cells(FRAMES, PERSONS, struct_of)}, do_compression=True)
    scipy.io.savemat(f"{folder}/mat/TS{ts}/occlusion.mat", {"occlusion_labels": cells(FRAMES, PERSONS, lambda i, k: np.uint8(hidden[k])[None])})
    for i in range(FRAMES):
        picture(f"{folder}/mat/TS{ts}/img_{i:06d}.jpg", *size, uv[i])
        number = len(images)
        images.append({"id": number, "file_name": f"TS{ts}/img_{i:06d}.jpg", "width": size[0], "height": size[1], "intrinsic": [*f, *c]})
        for k in range(PERSONS):
            low, high = uv[i, k].min(0), uv[i, k].max(0)
            annotations.append({"id": len(annotations), "image_id": number, "is_valid": int(not (i == 1 and k == 1)), "bbox": [*low, *(high - low)],
                                "keypoints_img": uv[i, k].tolist(), "keypoints_cam": (1000 * xyz[i, k]).tolist(), "keypoints_vis": (~hidden[k]).tolist()})
os.makedirs(folder + "/json")
json.dump({"images": images, "annotations": annotations[::-1]}, open(folder + "/json/MuPoTS-3D.json", "w"))

os.makedirs(folder + "/muco/augmented_set")
f, c = [1499.2, 1498.8], [1024.7, 1030.3]
xyz = np.array([person(900 + k, (k - .5, 0, 4 + .5 * k)) for k in range(2)])[:, MUCO21]
uv = project(xyz, f, c)
picture(folder + "/muco/augmented_set/000004.jpg", 2048, 2048, uv)
json.dump({"images": [{"id": 7, "file_name": "augmented_set/000004.jpg", "width": 2048, "height": 2048, "f": f, "c": c}],
           "annotations": [{"id": k, "image_id": 7, "bbox": [*uv[k].min(0), *np.ptp(uv[k], 0)], "keypoints_img": uv[k].tolist(), "keypoints_cam": (1000 * xyz[k]).tolist(),
                            "keypoints_vis": [1] * 20 + [0]} for k in range(2)]}, open(folder + "/muco/MuCo-3DHP.json", "w"))
