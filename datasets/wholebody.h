/* wholebody.h - COCO-WholeBody (Jin et al., ECCV 2020): COCO's persons, 17 joints and six points of the feet. */
GN_DATASET(wholebody,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d,
           .skeleton = &gn_coco23,
           .train = "wholebody/train.h5",
           .valid = "wholebody/valid.h5",
           .about = "github.com/jin-s13/COCO-WholeBody; data import wholebody, with COCO's pictures",
           .licence = "research alone, CC BY-NC 4.0; pictures under their Flickr licences")
