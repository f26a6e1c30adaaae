/* version.h - versions of the foreign libraries, each told by the one file that knows it. */
#ifndef GN_VERSIONS_H
#define GN_VERSIONS_H

const char *gn_yaml_version(void);
const char *gn_h5_version(void);
const char *gn_json_version(void);
const char *gn_png_version(void);
const char *gn_jpeg_version(void);
const char *gn_hash_version(void);
#ifdef GN_ONEDNN
const char *gn_onednn_version(void);
#endif
const char *gn_cublas_version(void), *gn_cudnn_version(void); /* "absent": device.impl library has none to ask */
#endif
