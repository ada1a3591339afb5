// What the program around a run may ask of it, from the engine's progress callback or from a path of its own.
// Models have no use for it.
#ifndef NUMASIM_SIM_RUN_CONTROL_H_
#define NUMASIM_SIM_RUN_CONTROL_H_

#include <cstdint>
#include <string>

namespace numasim::sim {

class Engine;
class Path;

// From a path: all that is simulated has ended, but for paths that would go on for ever. The run ends when
// what is pending up to the lookahead from now is done; what is pending later is left. The same for any
// number of threads.
void EndRunHere(Path& path);

// Ends Engine::Run at the next instant that all LPs can be taken to, as if it were the end that Run was
// given. Where an instant goes on for ever it ends in the middle of it, a second later.
void StopRun(Engine& engine);

// The last Run was ended by StopRun. For any time.
bool RunWasStopped(const Engine& engine);

// How many windows there were so far: times that LPs ran side by side and then heard of each other. For any
// time.
uint64_t WindowsRun(const Engine& engine);

// The name of a path that is next to run; empty if there is none.
std::string NextPath(const Engine& engine);

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_RUN_CONTROL_H_
