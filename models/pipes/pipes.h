// Pipes: the memory that pipes of 1 MiB take (fs/pipe.c, Linux 6.1): the array of their buffers, and a page
// for each that is filled. None of it can be moved. What a pipe has is a value that belongs to who has it
// open; the allocator is asked by a process's path.
#ifndef NUMASIM_MODELS_PIPES_PIPES_H_
#define NUMASIM_MODELS_PIPES_PIPES_H_

#include <cstdint>
#include <vector>

#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

struct Pipe {
  std::vector<Folio> memory;  // the array of buffers, then what was written
};

class Pipes {
 public:
  static constexpr int64_t kPages = 256;  // that a pipe holds: fs.pipe-max-size

  Pipes(MemorySystem& memory, PageAllocator& allocator) : memory_(memory), allocator_(allocator) {}

  // A process makes the pipe and fills so many pages of it: pipe2(), F_SETPIPE_SZ, and writes of 64 KiB.
  // kNoMem: what could be had is in the pipe. On the process's LP.
  sim::Task<Errno> Fill(sim::Path& path, Process& process, int64_t pages, Pipe& pipe);
  // put_pipe_info() by the last who had it open, on its CPU. Begins and ends on any LP.
  sim::Task<void> Close(sim::Path& path, CpuId cpu, Pipe& pipe);

 private:
  sim::Task<Errno> AddMemory(sim::Path& path, Process& process, GfpFlags gfp, int order, Pipe& pipe);

  MemorySystem& memory_;
  PageAllocator& allocator_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PIPES_PIPES_H_
