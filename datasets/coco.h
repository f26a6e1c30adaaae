/* coco.h - COCO keypoints (Lin et al., ECCV 2014): everyday scenes, 17 joints labelled in 2D, nobody's pelvis or neck among them. */
GN_DATASET(coco,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d,
           .skeleton = &gn_coco17,
           .train = "coco/train.h5",
           .valid = "coco/valid.h5",
           .about = "cocodataset.org; data import coco, from person_keypoints_train2017.json and _val2017.json",
           .licence = "CC BY 4.0 for the annotations; pictures under their Flickr licences, some non-commercial")
