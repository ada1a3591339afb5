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

def numasim_proto_descriptors(name, srcs):
    """A file NAME.pb of the descriptors of `srcs` and of what they import, with their comments.

    Args:
      name: the target.
      srcs: .proto files of this package, and those that they import from it.
    """
    native.genrule(
        name = name,
        srcs = srcs,
        outs = [name + ".pb"],
        cmd = "/usr/bin/protoc -I. --include_source_info --include_imports --descriptor_set_out=$@ " +
              " ".join(["%s/%s" % (native.package_name(), s) for s in srcs]),
        visibility = ["//visibility:private"],
    )
