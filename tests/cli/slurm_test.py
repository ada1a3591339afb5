#!/usr/bin/env python3
"""`numasim sweep --engine slurm` on a cluster of this machine alone: munged, slurmctld and slurmd are started for the
test, in a folder and with ports of their own, and ended by it."""
import contextlib
import getpass
import glob
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest

NUMASIM = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'cli/numasim')
PATIENCE_S = 100
RUNS_PER_TASK = 10
IN_TASKS = ('--runs-per-task', str(RUNS_PER_TASK))

SLURM_CONF = '''ClusterName=numasim
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
KillWait=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
'''

# Guests that come at random: no seed gives what another does.
SCENARIO = '''machine { node { memory: "16G" cpus: 4 } kernel_args: "hugepagesz=2M hugepages=4096" }
workload {
  guests {
    name: "vms"
    arrival { poisson { mean: "5m" } }
    size { lognormal { median: "1G" sigma: 0.7 min: "256M" max: "4G" } }
    lifetime { exponential { mean: "1h" } }
    page_size: "2M"
  }
}
stop_after: "12h"
'''
STUDY = '''scenario: "s.textproto"
parameter { name: "pool" set: "machine.kernel_args=hugepagesz=2M hugepages={}" value: ["3072", "3584", "4096", "4608"] }
seeds { count: %d }
metrics: "operation.*" metrics: "node0.*" metrics: "simulated_ns"
show: "simulated_ns"
'''


def write(name, text):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text)


def read(name):
    with open(name, encoding='utf-8', errors='replace') as file:
        return file.read()


def wait_for(condition, what):
    """Until it holds; returns what it gives."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f'not after {PATIENCE_S} s: {what}')


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(('127.0.0.1', 0))
        return [one.getsockname()[1] for one in sockets]


class Cluster:
    """The daemons; what they write is in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        host = socket.gethostname().split('.')[0]
        controller_port, node_port = free_ports(2)
        for name in ('state', 'spool'):
            os.mkdir(os.path.join(folder, name))
        conf = os.path.join(folder, 'slurm.conf')
        write(conf, SLURM_CONF.format(host=host, folder=folder, user=getpass.getuser(), controller_port=controller_port,
                                      node_port=node_port))
        os.environ['SLURM_CONF'] = conf
        key = os.path.join(folder, 'munge.key')
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), 'wb') as file:
            file.write(os.urandom(128))
        self.daemon('munged', f'--socket={folder}/munge.socket', f'--key-file={key}', f'--pid-file={folder}/munged.pid',
                    f'--seed-file={folder}/munged.seed', f'--log-file={folder}/munged.log')
        self.daemon('slurmctld', '-f', conf)
        self.daemon('slurmd', '-f', conf)
        wait_for(lambda: slurm('sinfo', '--noheader', '--format=%t').strip() == 'idle', 'the node is there')

    def daemon(self, name, *arguments):
        program = shutil.which(name, path='/usr/sbin:/usr/bin')
        if program is None:
            sys.exit(f'{name} is not installed; expected the packages of third_party/packages.txt')
        subprocess.run([program, *arguments], check=True, stdin=subprocess.DEVNULL)

    def end(self):
        subprocess.run(['scancel', '--quiet', '--partition=main'], check=False)
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not slurm('squeue', '--noheader'), 'the jobs end')
        for name in ('slurmd', 'slurmctld', 'munged'):
            with contextlib.suppress(OSError, ValueError):
                pid = int(read(os.path.join(self.folder, name + '.pid')))
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda pid=pid: not os.path.exists(f'/proc/{pid}'), f'{name} ends')


def slurm(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def queued(state=''):
    """The ids of tasks as scancel takes them."""
    return slurm('squeue', '--noheader', '--array', '--format=%i', *(['--states=' + state] if state else [])).split()


def task_processes():
    """Of the tasks that run for this folder's sweeps: process id, the task's number, the job's folder."""
    found = []
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            with open(path, 'rb') as file:
                words = file.read().split(b'\0')
            if b'sweep-task' not in words or os.getcwd().encode() not in words[words.index(b'sweep-task') + 1]:
                continue
            with open(os.path.join(os.path.dirname(path), 'environ'), 'rb') as file:
                task = re.search(rb'(?:^|\0)SLURM_ARRAY_TASK_ID=(\d+)', file.read())
            if task:
                found.append((int(path.split('/')[2]), int(task.group(1)), words[words.index(b'sweep-task') + 1].decode()))
    return found


def reports(path):
    """The fields of work.proto's Report that a report's whole frames have, in order."""
    kinds = []
    with contextlib.suppress(OSError), open(path, 'rb') as file:
        data = file.read()
        while len(data) >= 12:
            length = struct.unpack('<I', data[:4])[0]
            if len(data) < 12 + length:
                break
            kinds.append(data[12] >> 3)
            data = data[12 + length:]
    return kinds


BEGUN, RESULT, ENDED = 1, 2, 5


def dump(path):
    """All that a database tells of its runs, whatever numbers its metrics have and whatever order they came in."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        return {query: sorted(database.execute(query)) for query in (
            'SELECT * FROM study', 'SELECT * FROM parameters', 'SELECT * FROM runs', 'SELECT * FROM failures', 'SELECT * FROM unmet',
            'SELECT run, name, value, unit, kind, direction, absent_is_zero FROM metrics JOIN metric_names USING (metric)')}


def run_count(path='study.sqlite'):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute('SELECT count(*) FROM runs').fetchone()[0]


class SlurmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Not below TEST_TMPDIR: a socket's name has 107 characters at most.
        cls.folder = tempfile.mkdtemp(prefix='numasim-slurm-', dir='/tmp')
        os.chmod(cls.folder, 0o755)  # munged wants its socket to be reached
        cls.cluster = Cluster(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.end()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
        write('s.textproto', SCENARIO)
        write('study.textproto', STUDY % 50)
        self.sweeps = []

    def tearDown(self):
        for sweep in self.sweeps:
            sweep.kill()
            sweep.wait()
        subprocess.run(['scancel', '--quiet', '--partition=main'], check=False)
        wait_for(lambda: not queued(), 'the queue is empty')

    def start(self, *options, program=NUMASIM, **how):
        with open('err', 'w', encoding='utf-8') as err:
            sweep = subprocess.Popen([program, 'sweep', 'study.textproto', '--engine', 'slurm', '--quiet', *options],
                                     stdout=err, stderr=err, **how)
        self.sweeps.append(sweep)
        return sweep

    def sweep(self, *options, status=0, **how):
        """Runs a sweep to its end; what it printed."""
        self.assertEqual(self.start(*options, **how).wait(), status, read('err'))
        return read('err')

    def local(self, *options, status=0):
        """The same sweep on this machine alone."""
        command = [NUMASIM, 'sweep', 'study.textproto', '--out', 'local.sqlite', '--quiet', *options]
        self.assertEqual(subprocess.run(command, capture_output=True, check=False).returncode, status)

    def running_task(self):
        """A task that has some results, and none of others: it is stopped there."""
        def find():
            for pid, task, folder in task_processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    if 0 < reports(os.path.join(folder, f'{task}.report')).count(RESULT) < RUNS_PER_TASK:
                        return pid, task, folder
                    os.kill(pid, signal.SIGCONT)
            return None
        return wait_for(find, 'a task runs')

    def assert_was_lost(self, task, folder):
        kinds = reports(os.path.join(folder, f'{task}.report'))
        self.assertIn(BEGUN, kinds)
        self.assertNotIn(ENDED, kinds)
        self.assertTrue(0 < kinds.count(RESULT) < RUNS_PER_TASK, kinds)

    def test_lost_tasks_and_a_lost_sweep_leave_the_database_as_it_would_be(self):
        sweep = self.start(*IN_TASKS)
        pid, task, folder = self.running_task()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not os.path.exists(f'/proc/{pid}'), 'the task is gone')
        self.assert_was_lost(task, folder)
        # The sweep notices and has a second job before it is killed itself.
        wait_for(lambda: os.path.exists('study.sqlite.slurm/job-2/submitted'), 'what was lost is submitted again')
        sweep.kill()
        sweep.wait()
        self.assertIsNotNone(sweep.returncode)
        before = run_count()
        self.assertTrue(0 < before < 200, before)
        self.assertNotEqual(queued(), [])
        # While there is no sweep another task is lost.
        _, task, folder = self.running_task()
        with open(os.path.join(folder, 'job.pb'), 'rb') as file:
            name = re.search(rb'numasim-[0-9a-f]{16}', file.read()).group().decode()
        scancelled = slurm('squeue', '--noheader', '--name=' + name, '--format=%F').split()[0] + f'_{task}'
        self.assertIn(scancelled, queued('running'))
        subprocess.run(['scancel', scancelled], check=True)
        wait_for(lambda: scancelled not in queued(), 'the task is gone')
        self.assert_was_lost(task, folder)
        self.assertEqual(self.sweep(*IN_TASKS), '')
        self.assertFalse(os.path.exists('study.sqlite.slurm'))
        self.assertEqual(run_count(), 200)
        self.local()
        self.assertEqual(dump('study.sqlite'), dump('local.sqlite'))
        # Nothing is left to be run.
        self.assertEqual(self.sweep(), '')

    def test_ctrl_c_ends_the_jobs_and_keeps_what_has_finished(self):
        sweep = self.start(*IN_TASKS)
        os.kill(self.running_task()[0], signal.SIGCONT)
        sweep.send_signal(signal.SIGINT)
        self.assertEqual(sweep.wait(), 130)
        finished = run_count()
        self.assertTrue(0 < finished < 200, finished)
        self.assertEqual(read('err'), f'numasim: SIGINT ended the sweep with {finished} of 200 runs in study.sqlite; '
                                      'the same command goes on with it\n')
        self.assertFalse(os.path.exists('study.sqlite.slurm'))
        wait_for(lambda: not queued(), 'the jobs are gone')
        self.assertEqual(task_processes(), [])

    def test_lost_terminal_leaves_the_jobs_which_only_this_engine_takes_over(self):
        sweep = self.start(*IN_TASKS)
        os.kill(self.running_task()[0], signal.SIGCONT)
        sweep.send_signal(signal.SIGHUP)
        self.assertEqual(sweep.wait(), 129)
        self.assertNotEqual(queued(), [])
        self.assertIn('study.sqlite.slurm: is there, so jobs of this sweep may still run; expected --engine slurm',
                      self.refused('sweep', 'study.textproto'))
        # What is shown may change, and the jobs go on.
        jobs = {task.split('_')[0] for task in queued()}
        write('study.textproto', STUDY % 50 + 'show: "node0.numa_hit"\n')
        again = self.start('--runs-per-task', '10')
        time.sleep(2)
        again.send_signal(signal.SIGHUP)
        self.assertEqual(again.wait(), 129)
        self.assertNotEqual(queued(), [])
        self.assertEqual({task.split('_')[0] for task in queued()}, jobs)
        # Another study, with these jobs in the way: they are ended.
        write('study.textproto', STUDY % 1)
        self.assertIn('a change of the study, the number of seeds; expected --restart', self.sweep(status=1))
        self.assertNotEqual(queued(), [])
        self.sweep('--restart')
        self.local()
        self.assertEqual(dump('study.sqlite'), dump('local.sqlite'))

    def test_run_that_loses_its_task_each_time_has_failed_and_the_others_have_not(self):
        # One that never ends, as the host gives a task two seconds of CPU time.
        write('s.textproto', 'machine { node { memory: "64M" } }\n'
                             'workload { script { name: "load" line: "sleep 1" } }\n')
        write('study.textproto', 'scenario: "s.textproto"\n'
                                 'parameter { name: "n" set: "workload.script[load].loops" value: ["1", "2", "1000000000", "3"] }\n')
        limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (2, resource.RLIM_INFINITY))
        self.assertIn('1 of 4 runs failed', self.sweep('--runs-per-task', '4', preexec_fn=limit, status=2))
        with contextlib.closing(sqlite3.connect('study.sqlite')) as database:
            (run, message), = database.execute('SELECT * FROM failures')
        self.assertEqual(run, 2)
        self.assertRegex(message, '^its task was lost while it ran, 3 times; it said ')
        self.assertEqual(run_count(), 4)

    def test_runs_that_fail_and_globs_that_match_nothing_are_told(self):
        # Two thousand sleeps of 31 years are longer than simulated time.
        write('s.textproto', 'machine { node { memory: "64M" } }\n'
                             'workload { script { name: "load" line: "sleep 1000000000000" } }\n'
                             'expect: "simulated_ns < 1000"\n')
        write('study.textproto', 'scenario: "s.textproto" metrics: "simulated_ns" metrics: "node7.*"\n'
                                 'parameter { name: "n" set: "workload.script[load].loops" value: ["1", "2000", "2"] }\n')
        for retry in ((), ('--retry',)):
            said = self.sweep(*retry, status=2)
            self.assertIn('1 of 3 runs failed', said)
            self.assertIn('2 of 3 runs are not as their scenario expects', said)
            self.assertEqual(said.count("metrics[1]: 'node7.*' matches none of the first run's"), 0 if retry else 1, said)
        self.local(status=2)
        self.assertEqual(dump('study.sqlite'), dump('local.sqlite'))

    def test_tasks_that_cannot_begin_end_the_sweep(self):
        shutil.copy(NUMASIM, 'copy')
        sweep = self.start('--runs-per-task', '100', program='./copy')
        wait_for(lambda: os.path.exists('study.sqlite'), 'the sweep runs')
        os.chmod('copy', 0o644)
        self.assertEqual(sweep.wait(), 1)
        self.assertRegex(read('err'), '^numasim sweep: --engine slurm: a task ended before its first run, 3 times; it said last: '
                                      '.*copy: Permission denied\n$')
        self.assertFalse(os.path.exists('study.sqlite'))

    def test_search_gives_the_same_answer(self):
        write('study.textproto', 'scenario: "s.textproto"\n'
              'parameter { name: "pool" set: "machine.kernel_args=hugepagesz=2M hugepages={}" value: ["1024", "4096", "7168"] }\n'
              'find { parameter: "pool" largest: false condition: "operation.vms.start.failed_share > 30%" probability_below: 0.5 }\n')
        answer = self.sweep()
        self.assertRegex(answer, '^smallest pool=')
        self.local()
        self.assertEqual(dump('study.sqlite'), dump('local.sqlite'))

    def refused(self, *command, **environment):
        """The message with which a command ends that leaves no file."""
        before = sorted(os.listdir())
        result = subprocess.run([NUMASIM, *command], capture_output=True, text=True, check=False, env=os.environ | environment)
        self.assertEqual((result.returncode, result.stdout), (1, ''), result.stderr)
        self.assertEqual(sorted(os.listdir()), before)
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        return result.stderr

    def test_what_cannot_be_submitted_is_refused(self):
        sweep = ('sweep', 'study.textproto', '--engine', 'slurm')
        for options, message in (
                (('--sbatch=--partition=none',), 'sbatch: exit status 1: sbatch: error: invalid partition specified: none; '),
                (('--sbatch=--array=0-3',), "--sbatch: '--array=0-3' is what the sweep itself sets (--array); expected another"),
                (('--sbatch=-c4',), "--sbatch: '-c4' is what the sweep itself sets (--cpus-per-task); expected --threads"),
                (('--sbatch', 'main'), "--sbatch: 'main' is no option of sbatch; expected one as --sbatch=--partition=NAME"),
                (('--engine', 'pbs'), 'pbs')):
            self.assertIn(message, self.refused(*sweep, *options))
        self.assertIn('--engine slurm: sbatch: there is no such program; expected a machine from which jobs are submitted',
                      self.refused(*sweep, PATH='/nowhere'))
        for options in (('--runs-per-task', '3'), ('--sbatch=--time=1',)):
            self.assertIn('is for Slurm; expected it with --engine slurm', self.refused(*sweep[:2], *options))
        self.assertIn('none/job.pb: No such file or directory', self.refused('sweep-task', 'none'))

    def test_traces_reach_their_folder(self):
        write('study.textproto', STUDY % 1)
        self.sweep('--keep-traces', 'traces', '--threads', '2')
        self.assertEqual(len(os.listdir('traces')), 4)
        subprocess.run([NUMASIM, 'compare', 'traces/point0-seed1.pb', 'study.sqlite', '--where', 'pool=3072'], check=True,
                       capture_output=True)


if __name__ == '__main__':
    unittest.main(verbosity=2)
