// A trace in the form that Perfetto shows: https://ui.perfetto.dev, or its trace processor for SQL.
#ifndef NUMASIM_CLI_EXPORT_PERFETTO_H_
#define NUMASIM_CLI_EXPORT_PERFETTO_H_

#include "absl/status/status.h"
#include "cli/dump/trace_selection.h"
#include "cli/export/packet_stream.h"
#include "proto/trace_reader.h"

namespace numasim {

// Adds to `packets` what is chosen of `trace`: counters with a value wherever it differs from the sample
// before; events as instants; and at the end instants with the statistics of locks and operations, which are
// of the whole run. Everything readable of a cut or damaged trace is added before the returned status says
// so.
absl::Status WritePerfetto(TraceReader& trace, const TraceSelection& selection, PacketStream& packets);

}  // namespace numasim

#endif  // NUMASIM_CLI_EXPORT_PERFETTO_H_
