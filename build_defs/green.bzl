"""Rules for the runtime (what ends up in libgreen.so) and for its unit tests."""

# Runtime code may run between any two instructions of the program, so it never
# touches an SSE register, and it must not need libstdc++ or the unwinder at run
# time. Unwind tables stay on: debuggers and cancellation walk through it.
RUNTIME_COPTS = [
    "-mgeneral-regs-only",
    "-fvisibility=hidden",
    "-fPIC",
    "-fno-stack-protector",
    "-fasynchronous-unwind-tables",
    "-fomit-frame-pointer",
    "-fcf-protection=none",
    "-ffunction-sections",
    "-fdata-sections",
    "-U_FORTIFY_SOURCE",
]

_RUNTIME_OPT = select({
    "//build_defs:optimized": ["-O2"],
    "//conditions:default": [],
})

_RUNTIME_CXXOPTS = [
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fvisibility-inlines-hidden",
]

def _is_assembly(src):
    return src.endswith(".S") or src.endswith(".s")

def _is_header(src):
    return src.endswith(".h") or src.endswith(".inc")

def green_core_library(
        name,
        srcs = [],
        hdrs = [],
        deps = [],
        copts = [],
        textual_hdrs = [],
        alwayslink = False,
        visibility = None,
        **kwargs):
    """A cc_library of the runtime. srcs may hold .S files.

    Set alwayslink for a library that nobody calls by name: interposed symbols,
    constructors, sections that are read as a whole.
    """
    assembly = [s for s in srcs if _is_assembly(s)]
    sources = [s for s in srcs if not _is_assembly(s)]
    all_deps = deps
    if assembly:
        # Apart, because gcc warns of C++ options when it assembles.
        native.cc_library(
            name = name + "_asm",
            srcs = assembly + [s for s in srcs if _is_header(s)],
            hdrs = hdrs,
            textual_hdrs = textual_hdrs,
            copts = RUNTIME_COPTS + copts,
            linkstatic = True,
            alwayslink = alwayslink,
            deps = deps,
            visibility = ["//visibility:private"],
        )
        all_deps = deps + [":" + name + "_asm"]
    native.cc_library(
        name = name,
        srcs = sources,
        hdrs = hdrs,
        textual_hdrs = textual_hdrs,
        copts = RUNTIME_COPTS + _RUNTIME_CXXOPTS + _RUNTIME_OPT + copts,
        linkstatic = True,
        alwayslink = alwayslink,
        deps = all_deps,
        visibility = visibility,
        **kwargs
    )

def green_unit_test(name, srcs, deps = [], tags = [], size = "small", **kwargs):
    """A GoogleTest of one type or protocol, built as an ordinary program."""
    native.cc_test(
        name = name,
        srcs = srcs,
        size = size,
        tags = tags + ["unit"],
        linkstatic = True,
        deps = deps + ["@system//:gtest_main"],
        **kwargs
    )
