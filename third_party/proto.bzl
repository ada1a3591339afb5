"""C++ code from .proto files with the distribution's protoc."""

def numasim_proto_library(name, srcs, deps = [], visibility = None):
    """A cc_library of the generated classes of `srcs`, which live in the calling package.

    Args:
      name: the target; include as "<package>/<file>.pb.h".
      srcs: .proto files of this package; they import each other as "<package>/<file>.proto".
      deps: other numasim_proto_library targets the files import.
      visibility: as usual.
    """
    package = native.package_name()
    headers = [s.replace(".proto", ".pb.h") for s in srcs]
    sources = [s.replace(".proto", ".pb.cc") for s in srcs]
    native.genrule(
        name = name + "_protoc",
        srcs = srcs,
        outs = headers + sources,
        cmd = "/usr/bin/protoc -I. --cpp_out=$(GENDIR) " + " ".join(["%s/%s" % (package, s) for s in srcs]),
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        copts = ["-w"],
        visibility = visibility,
        deps = deps + ["@system//:protobuf"],
    )
