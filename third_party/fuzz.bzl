"""libFuzzer targets that run briefly as tests."""

def _instrumented_impl(settings, attr):
    # The fuzzer needs its coverage counters in the code under test, not only in the target's own file, so
    # the whole closure is built again with them, and with address checks whatever the build's sanitizer is.
    copts = [c for c in settings["//command_line_option:copt"] if not c.startswith(("-fsanitize", "-fno-sanitize"))]
    linkopts = [o for o in settings["//command_line_option:linkopt"] if not o.startswith("-fsanitize")]
    return {
        "//command_line_option:compilation_mode": "fastbuild",
        "//command_line_option:copt": copts + [
            "-O1",
            "-g1",
            "-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION=1",
            "-fsanitize=fuzzer-no-link,address",
        ],
        "//command_line_option:linkopt": linkopts + ["-fsanitize=address"],
    }

_instrumented = transition(
    implementation = _instrumented_impl,
    inputs = [
        "//command_line_option:copt",
        "//command_line_option:linkopt",
    ],
    outputs = [
        "//command_line_option:compilation_mode",
        "//command_line_option:copt",
        "//command_line_option:linkopt",
    ],
)

_RUNNER = """#!/bin/bash
# Findings go to the test's outputs; without bazel (TEST_TMPDIR unset) to the current folder.
set -eu
work="${{TEST_TMPDIR:-$(mktemp -d)}}"
mkdir -p "$work/found" "$work/seeds"
n=0
for seed in {corpus}; do
  n=$((n + 1))
  cp "$seed" "$work/seeds/$n-$(basename "$seed")"
done
exec "{binary}" -seed=1 -runs={runs} -max_total_time={seconds} -timeout=10 -rss_limit_mb=2048 \\
  -print_final_stats=1 -artifact_prefix="${{TEST_UNDECLARED_OUTPUTS_DIR:-.}}/" {flags} "$@" "$work/found" "$work/seeds"
"""

def _fuzz_test_impl(ctx):
    binary = ctx.attr.binary[0][DefaultInfo].files_to_run.executable
    script = ctx.actions.declare_file(ctx.label.name)
    dictionary = ["-dict=\"%s\"" % ctx.file.dictionary.short_path] if ctx.file.dictionary else []
    ctx.actions.write(script, is_executable = True, content = _RUNNER.format(
        binary = binary.short_path,
        corpus = " ".join(["\"%s\"" % f.short_path for f in ctx.files.corpus]),
        flags = " ".join(dictionary + ctx.attr.fuzzer_flags),
        runs = ctx.attr.runs,
        seconds = ctx.attr.seconds,
    ))
    files = [binary] + ctx.files.corpus + ([ctx.file.dictionary] if ctx.file.dictionary else [])
    return [DefaultInfo(executable = script, runfiles = ctx.runfiles(files = files))]

_fuzz_test = rule(
    implementation = _fuzz_test_impl,
    test = True,
    attrs = {
        "binary": attr.label(cfg = _instrumented, mandatory = True),
        "corpus": attr.label_list(allow_files = True),
        "dictionary": attr.label(allow_single_file = True),
        "fuzzer_flags": attr.string_list(),
        "runs": attr.int(),
        "seconds": attr.int(),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)

def numasim_fuzz_test(name, srcs, deps, corpus, dictionary = None, runs = 100000, seconds = 10, fuzzer_flags = []):
    """A fuzz target (LLVMFuzzerTestOneInput in `srcs`) and a test that runs it from a seed corpus.

    Built with clang's -fsanitize=fuzzer,address in all of its dependencies. Tagged "fuzz": the second
    compiler has no libFuzzer and the sanitizer configurations add nothing, so .bazelrc leaves it out there.
    To fuzz for longer: `bazel run //tests/fuzz:NAME -- -runs=-1 -max_total_time=600`.

    Args:
      name: the test.
      srcs: the C++ files of the target.
      deps: what the target needs.
      corpus: files (a glob, or outputs of a genrule), each one seed input.
      dictionary: a libFuzzer dictionary file, or None.
      runs: inputs to try at most, besides the seeds.
      seconds: time after which to stop trying.
      fuzzer_flags: more libFuzzer flags, such as "-max_len=4096".
    """
    native.cc_binary(
        name = name + "_bin",
        testonly = True,
        srcs = srcs,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )
    _fuzz_test(
        name = name,
        size = "small",
        binary = ":%s_bin" % name,
        corpus = corpus,
        dictionary = dictionary,
        fuzzer_flags = fuzzer_flags,
        runs = runs,
        seconds = seconds,
        tags = ["fuzz"],
    )
