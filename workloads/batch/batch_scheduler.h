// BatchScheduler: who of the jobs that wait is started when, by the CPUs and the memory of the whole machine.
// Owned by a BatchSystem, with which it lives on the global LP. Knows nothing of nodes, nor of time beyond
// what it is told.
//
// EASY backfilling (D. Lifka, The ANL/IBM SP Scheduling System, JSSPP 1995): jobs start in the order of their
// submission; where the first one has to wait, it has a reservation for the time at which the running ones
// will have left it enough, as far as they said how long they run. Those behind it start before it where that
// does not put off its reservation: they are gone by then, or take only what it leaves over.
#ifndef NUMASIM_WORKLOADS_BATCH_BATCH_SCHEDULER_H_
#define NUMASIM_WORKLOADS_BATCH_BATCH_SCHEDULER_H_

#include <cstdint>
#include <list>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace numasim::workloads {

// What a job takes of a machine, or a machine has.
struct BatchRoom {
  int64_t millicpus = 0;
  int64_t bytes = 0;

  bool Holds(const BatchRoom& other) const { return other.millicpus <= millicpus && other.bytes <= bytes; }
  void Add(const BatchRoom& other) {
    millicpus += other.millicpus;
    bytes += other.bytes;
  }
  void Sub(const BatchRoom& other) {
    millicpus -= other.millicpus;
    bytes -= other.bytes;
  }
};

class BatchScheduler {
 public:
  struct Request {
    int64_t job = 0;  // a number of the caller's, unique
    BatchRoom room;
    int64_t limit_ns = 0;  // how long it says that it runs
  };
  struct Start {
    int64_t job = 0;
    bool backfilled = false;
  };

  // `backfill_depth`: how many of those that wait behind the first are looked at; 0: FCFS.
  BatchScheduler(const BatchRoom& machine, int backfill_depth)
      : machine_(machine), free_(machine), backfill_depth_(backfill_depth) {}

  // Whether the machine can ever run it. A job that it cannot must not be submitted.
  bool CanRun(const BatchRoom& room) const { return machine_.Holds(room); }
  const BatchRoom& machine() const { return machine_; }

  void Submit(const Request& request) { waiting_.push_back(request); }
  // Takes those that start now out of those that wait, in this order. To be asked after each Submit and End.
  std::vector<Start> StartNow(int64_t now_ns);
  // A job that was started has gone.
  void End(int64_t job);

 private:
  struct Reservation {
    int64_t at_ns = 0;
    BatchRoom left_over;  // by the first that waits, then
  };

  void Begin(const Request& request, int64_t now_ns, bool backfilled, std::vector<Start>& starts);
  Reservation ReserveFor(const BatchRoom& first, int64_t now_ns) const;
  void Backfill(int64_t now_ns, std::vector<Start>& starts);

  BatchRoom machine_;
  BatchRoom free_;
  int backfill_depth_;
  std::list<Request> waiting_;  // by submission
  // Those that run, by the time at which they say that they end; looked up by number.
  std::set<std::pair<int64_t, int64_t>> ends_;
  struct Running {
    BatchRoom room;
    int64_t end_ns = 0;
  };
  std::unordered_map<int64_t, Running> running_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_BATCH_SCHEDULER_H_
