"""Forwards to the native C++ rules.

Debian's bazel-rules-cc is too new for Debian's Bazel; these names are all that
Bazel's own tools and this project load from it.
"""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
