// Where a team's workers run: tasks of TBB that stay until the team ends. Apart from the team because it is
// built without ThreadSanitizer: TBB orders what it hands over in its own library, which the sanitizer cannot
// see. The team tells it about that order.
#ifndef NUMASIM_SIM_TBB_HOST_H_
#define NUMASIM_SIM_TBB_HOST_H_

#include <cstddef>
#include <memory>

namespace numasim::sim::internal {

class TbbHost {
 public:
  // Has work(context, t) called for each t of 1 .. threads - 1, by threads of TBB as it has them free.
  TbbHost(size_t threads, void (*work)(void* context, size_t t), void* context);
  ~TbbHost();

  // Returns when all have returned. Those that TBB had no thread for are called here, by the caller.
  void Wait();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The CPUs that TBB may use here.
int DefaultThreads();

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_TBB_HOST_H_
