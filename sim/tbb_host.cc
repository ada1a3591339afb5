#include "sim/tbb_host.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <optional>

namespace numasim::sim::internal {

struct TbbHost::Impl {
  explicit Impl(size_t threads) : arena(static_cast<int>(threads)) {
    // TBB's default is a worker for each CPU but one. Only a test asks for more.
    if (threads > static_cast<size_t>(DefaultThreads())) {
      limit.emplace(tbb::global_control::max_allowed_parallelism, threads);
    }
  }

  std::optional<tbb::global_control> limit;
  tbb::task_arena arena;
  tbb::task_group group;
};

TbbHost::TbbHost(size_t threads, void (*work)(void* context, size_t t), void* context)
    : impl_(std::make_unique<Impl>(threads)) {
  impl_->arena.execute([&] {
    for (size_t t = 1; t < threads; ++t) impl_->group.run([=] { work(context, t); });
  });
}

TbbHost::~TbbHost() = default;

void TbbHost::Wait() {
  impl_->arena.execute([&] { impl_->group.wait(); });
}

int DefaultThreads() { return tbb::info::default_concurrency(); }

}  // namespace numasim::sim::internal
