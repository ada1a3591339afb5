#!/usr/bin/env python3
"""`numasim export --perfetto` says what `numasim dump` says: every counter at every sample, every event, lock and operation.

The file is read by perfetto_reader.py, which knows Perfetto's format and not the program's code.
"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

RUNFILES = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
sys.path[:0] = [os.path.join(RUNFILES, 'tests'), os.path.join(RUNFILES, 'tests/cli/export')]
from perfetto_reader import Trace  # noqa: E402
from soft_checks import expect, failures  # noqa: E402

NUMASIM = os.path.join(RUNFILES, 'cli/numasim')
EXAMPLES = os.path.join(RUNFILES, 'examples')
# Failures of many kinds on nodes; pools, and failures in `kernel`; guests over a week; ranges with the frame in the way.
SCENARIOS = {'quickstart': [], 'hugepages': ['trace.spans=true'], 'guests': ['trace.spans=true', 'stop_after=24h'],
             'studies/unplug_over_a_pool/unplug_over_a_pool': ['kernel.contig.hugetlb=fail', 'trace.spans=true']}
OPTIONS = [[], ['--from', '50ms', '--to', '80s', '--counters', 'node0.*,*hugepages'], ['--every', '20ms', '--to', '10s']]


def numasim(*arguments):
    return subprocess.run([NUMASIM, *arguments], capture_output=True, text=True, check=True).stdout


def signed(shown):
    return shown - 2**64 if shown >= 2**63 else shown


def check_counters(what, dumped, trace):
    names = [column['name'] for column in dumped['columns']]
    expect(f'{what}: the counters', sorted(names) == sorted(trace.counters), names, list(trace.counters))
    for i, column in enumerate(dumped['columns']):
        track = trace.counters[column['name']]
        expect(f'{what}: the unit', track.unit == column['unit'], column, track.unit)
        expect(f'{what}: the groups', list(track.path[1:-1]) == column['name'].split('.')[:-1], track.path)
        # A value wherever it changes, and there alone: the same steps.
        steps = []
        for sample in dumped['samples']:
            value = signed(sample['values'][i])
            if not steps or steps[-1][1] != value:
                steps.append((sample['time_ns'], value))
        expect(f'{what}: the values of {column["name"]}', track.values == steps, track.values[:5], steps[:5])


def check_events(what, dumped, trace):
    exported = [instant for instant in trace.instants if instant.category in ('failure', 'event')]
    expect(f'{what}: the number of events', len(exported) == len(dumped['events']), len(exported), len(dumped['events']))
    for instant, event in zip(exported, dumped['events']):
        values = {'path': event['path']} | event.get('failure', {'detail': event.get('detail')})
        same = (instant.time, instant.name, instant.values) == (event['time_ns'], event['kind'], values)
        expect(f'{what}: an event', same, instant.time, instant.name, instant.values, event)
        expect(f'{what}: its track', instant.track.path[1:] ==
               (event['lp'], 'events', f'events.{event["lp"]}.{event["kind"]}'), instant.track.path)


def times(prefix, histogram, row):
    """What is said of a histogram that is not empty; percentiles as CSV has them."""
    if not histogram['buckets']:
        return {}
    count = sum(bucket['count'] for bucket in histogram['buckets'])
    return {f'{prefix}mean_ns': histogram['sum'] // count, f'{prefix}50_ns': int(row[f'{prefix}50_ns']),
            f'{prefix}99_ns': int(row[f'{prefix}99_ns']), f'{prefix}max_ns': histogram['max'],
            f'{prefix}times': [{'low_ns': bucket['low'], 'high_ns': bucket['high'], 'count': bucket['count']}
                               for bucket in histogram['buckets']]}


def table(path, name):
    return list(csv.DictReader(io.StringIO(numasim('dump', path, '--format', 'csv', '--table', name))))


def check_locks(what, path, dumped, trace):
    exported = [instant for instant in trace.instants if instant.category == 'lock']
    expect(f'{what}: the number of locks', len(exported) == len(dumped['locks']) > 0, len(exported))
    for instant, lock, row in zip(exported, dumped['locks'], table(path, 'locks')):
        values = {key: lock[key] for key in ('kind', 'acquired', 'contended')}
        values |= times('wait_', lock['wait_ns'], row) | times('hold_', lock['hold_ns'], row)
        expect(f'{what}: a lock', instant.values == values, instant.values, values)
        name = 'lock.' + ('' if lock['name'].startswith(lock['lp'] + '.') else lock['lp'] + '.') + lock['name']
        expect(f'{what}: its name', instant.name == name, instant.name, name)
        expect(f'{what}: its track', instant.track.path[1:] == (lock['lp'], 'locks', name), instant.track.path)


def check_operations(what, path, dumped, trace):
    exported = [instant for instant in trace.instants if instant.category == 'operation']
    expect(f'{what}: the number of operations', len(exported) == len(dumped['operations']) > 0, len(exported))
    for instant, operation, row in zip(exported, dumped['operations'], table(path, 'operations')):
        reasons = operation['failed']
        values = {'tried': operation['tried'], 'failed': sum(reasons.values())} | ({'reasons': reasons} if reasons else {})
        values |= times('', operation['latency_ns'], row)
        expect(f'{what}: an operation', instant.values == values, instant.values, values)
        groups = ('operations',) + ((operation['script'],) if 'script' in operation else ())
        name = '.'.join(('operation',) + groups[1:] + (operation['operation'],))
        expect(f'{what}: its name', instant.name == name, instant.name, name)
        expect(f'{what}: its track', instant.track.path[1:] == groups + (name,), instant.track.path)


def check_run(what, dumped, trace):
    run, = (instant for instant in trace.instants if instant.category == 'run')
    header = dumped['header']
    expect(f'{what}: the run', run.values == {'scenario': header['scenario_name'], 'numasim': header['program_version'],
                                              'seed': header['seed'],
                                              'sampling_interval_ns': header['sampling_interval_ns']}, run.values)
    roots = {track.path[0] for track in trace.tracks.values()}
    expect(f'{what}: one group above all', roots == {'numasim ' + header['scenario_name']}, roots)


def check_spans(what, dumped, trace, wanted):
    """Slices, each on the track of its path and kind."""
    expect(f'{what}: the number of spans', len(trace.slices) == len(dumped['spans']), len(trace.slices), len(dumped['spans']))
    # Within a stretch of the run there may be none.
    expect(f'{what}: there are spans', bool(trace.slices) <= wanted and (bool(dumped['spans']) or not wanted or ' ' in what), len(trace.slices))
    for slice_, span in zip(trace.slices, dumped['spans']):
        values = {key: span[key] for key in ('lp', 'failed') if key in span}
        expect(f'{what}: a span', (slice_.time, slice_.end, slice_.category, slice_.name, slice_.values) ==
               (span['began_ns'], span['ended_ns'], span['kind'], span['name'], values), slice_.time, slice_.name, span)
        expect(f'{what}: its track', slice_.track.path[1:] == ('paths', span['path'], span['kind']), slice_.track.path)


def check(path, options, spans):
    what = ' '.join([path] + options)
    numasim('export', path, '--perfetto', '--out', 'out', *options)
    with open('out', 'rb') as file:
        trace = Trace(file.read())
    dumped = json.loads(numasim('dump', path, '--format', 'json', *options))
    check_counters(what, dumped, trace)
    check_events(what, dumped, trace)
    check_locks(what, path, dumped, trace)
    check_operations(what, path, dumped, trace)
    check_run(what, dumped, trace)
    check_spans(what, dumped, trace, spans)
    # What is of the whole run is where it ends, or where what is wanted of it does.
    end = max(max(track.values[-1][0] for track in trace.counters.values()), *(i.time for i in trace.instants))
    at = {instant.time for instant in trace.instants if instant.category in ('lock', 'operation')}
    expect(f'{what}: the end', at == {end}, at, end)
    print(f'{what}: {len(trace.counters)} counters, {sum(len(track.values) for track in trace.counters.values())} values, '
          f'{len(trace.instants)} instants')


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ['TEST_TMPDIR']))
    for scenario, settings in SCENARIOS.items():
        path = os.path.basename(scenario) + '.pb'
        numasim('run', os.path.join(EXAMPLES, scenario + '.textproto'), '--out', path, '--quiet',
                *(word for setting in settings for word in ('--set', setting)))
        for options in OPTIONS:
            check(path, options, spans='trace.spans=true' in settings)
    sys.exit(failures() != 0)


main()
