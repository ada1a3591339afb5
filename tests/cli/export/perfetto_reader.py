"""Reads a Perfetto trace as Perfetto's trace processor does, without the program's own code and message types.

The fields are those of protos/perfetto/trace/ in https://github.com/google/perfetto. What Perfetto would drop or put
elsewhere, without more than a counter in its statistics that says so, is an error here.
"""
import struct

# By message: number -> (name, type). A "*" after the type: repeated.
FIELDS = {
    'Trace': {1: ('packet', 'TracePacket*')},
    'TracePacket': {
        8: ('timestamp', 'uint64'), 10: ('trusted_packet_sequence_id', 'uint32'), 11: ('track_event', 'TrackEvent'),
        12: ('interned_data', 'InternedData'), 13: ('sequence_flags', 'uint32'), 42: ('previous_packet_dropped', 'bool'),
        60: ('track_descriptor', 'TrackDescriptor'), 87: ('first_packet_on_sequence', 'bool'),
    },
    'TrackDescriptor': {
        1: ('uuid', 'uint64'), 2: ('name', 'string'), 5: ('parent_uuid', 'uint64'), 8: ('counter', 'CounterDescriptor'),
        11: ('child_ordering', 'int32'), 12: ('sibling_order_rank', 'int32'), 14: ('description', 'string'),
    },
    'CounterDescriptor': {6: ('unit_name', 'string')},
    'TrackEvent': {
        3: ('category_iids', 'uint64*'), 4: ('debug_annotations', 'DebugAnnotation*'), 9: ('type', 'int32'),
        10: ('name_iid', 'uint64'), 11: ('track_uuid', 'uint64'), 30: ('counter_value', 'int64'),
    },
    'DebugAnnotation': {
        1: ('name_iid', 'uint64'), 3: ('uint_value', 'uint64'), 4: ('int_value', 'int64'), 6: ('string_value', 'string'),
        11: ('dict_entries', 'DebugAnnotation*'), 12: ('array_values', 'DebugAnnotation*'),
    },
    'InternedData': {
        1: ('event_categories', 'Interned*'), 2: ('event_names', 'Interned*'), 3: ('debug_annotation_names', 'Interned*'),
    },
    'Interned': {1: ('iid', 'uint64'), 2: ('name', 'string')},
}
SLICE_BEGIN, SLICE_END, INSTANT, COUNTER = 1, 2, 3, 4
STATE_CLEARED, NEEDS_STATE = 1, 2
EXPLICIT = 3


class Wrong(Exception):
    """The file is not what Perfetto reads."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def parse(data, message):
    """A message as a dictionary of the fields that are there."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if number not in FIELDS[message]:
            raise Wrong(f'{message} has a field {number} that is not known')
        name, kind = FIELDS[message][number]
        repeated, kind = kind.endswith('*'), kind.rstrip('*')
        if wire != (2 if kind == 'string' or kind in FIELDS else 0):
            raise Wrong(f'{message}.{name} has wire type {wire}')
        value, at = varint(data, at)
        if wire == 2:
            if at + value > len(data):
                raise Wrong(f'{message}.{name} goes past its end')
            bytes_, at = data[at:at + value], at + value
            value = bytes_.decode() if kind == 'string' else parse(bytes_, kind)
        elif kind.startswith('int'):
            value = struct.unpack('<q', struct.pack('<Q', value))[0]
        if repeated:
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise Wrong(f'{message}.{name} is there twice')
        else:
            fields[name] = value
    return fields


class Track:
    def __init__(self, descriptor, parent):
        self.name = descriptor['name']
        self.path = (parent.path if parent else ()) + (self.name,)
        self.unit = descriptor['counter'].get('unit_name') if 'counter' in descriptor else None
        self.is_counter = 'counter' in descriptor
        self.orders_children = descriptor.get('child_ordering') == EXPLICIT
        self.rank = descriptor.get('sibling_order_rank')
        self.values = []  # (time, value) of a counter
        self.open = None  # the slice that has not ended
        self.ended = 0    # when the last one did


class Instant:
    def __init__(self, time, track, category, name, values):
        self.time, self.track, self.category, self.name, self.values = time, track, category, name, values


class Slice(Instant):
    """Ends later than it begins, or at once; `time` is its beginning."""
    end = None


class Trace:
    """Tracks by uuid; counters by name; instants and slices in the file's order."""

    def __init__(self, data):
        self.tracks, self.instants, self.slices, self.siblings = {}, [], [], set()
        self.names = {kind: {} for kind in ('event_categories', 'event_names', 'debug_annotation_names')}
        self.cleared = False
        for packet in parse(data, 'Trace').get('packet', []):
            self.read(packet)
        self.counters = {track.name: track for track in self.tracks.values() if track.is_counter}

    def read(self, packet):
        if packet.get('trusted_packet_sequence_id', 0) == 0:
            raise Wrong('a packet of no sequence')
        if not self.cleared and not (packet.get('first_packet_on_sequence') and packet.get('previous_packet_dropped')):
            raise Wrong('the first packet does not say so')
        flags = packet.get('sequence_flags', 0)
        self.cleared = self.cleared or bool(flags & STATE_CLEARED)
        for kind, entries in packet.get('interned_data', {}).items():
            for entry in entries:
                if entry['iid'] == 0 or entry['iid'] in self.names[kind]:
                    raise Wrong(f'{kind}: {entry} is there already')
                self.names[kind][entry['iid']] = entry['name']
        if 'track_descriptor' in packet:
            self.describe(packet['track_descriptor'])
        if 'track_event' in packet:
            self.add(packet['timestamp'], packet['track_event'], bool(flags & NEEDS_STATE) and self.cleared)

    def describe(self, descriptor):
        uuid, parent = descriptor['uuid'], descriptor.get('parent_uuid')
        if uuid == 0 or uuid in self.tracks:
            raise Wrong(f'{descriptor} is there already')
        if parent is not None and (parent not in self.tracks or self.tracks[parent].is_counter):
            raise Wrong(f'{descriptor} has no group above it')
        track = Track(descriptor, self.tracks.get(parent))
        # Perfetto makes one track of those that have one parent and one name, and sorts by rank where the parent says so.
        for what in (track.name, track.is_counter), track.rank:
            if (parent, what) in self.siblings:
                raise Wrong(f'{descriptor} is not the only one of its name and rank')
            self.siblings.add((parent, what))
        if parent is not None and not self.tracks[parent].orders_children:
            raise Wrong(f'{descriptor} is in a group without an order')
        self.tracks[uuid] = track

    def add(self, time, event, may_refer):
        track = self.tracks[event['track_uuid']]
        if event['type'] == COUNTER:
            if not track.is_counter or set(event) != {'type', 'track_uuid', 'counter_value'}:
                raise Wrong(f'{event} is not of a counter')
            track.values.append((time, event['counter_value']))
            return
        if event['type'] == SLICE_END:
            if set(event) != {'type', 'track_uuid'} or track.open is None or time < track.open.time:
                raise Wrong(f'{event} ends nothing')
            track.open.end = track.ended = time
            track.open = None
            return
        if event['type'] not in (INSTANT, SLICE_BEGIN) or track.is_counter or not may_refer or 'counter_value' in event:
            raise Wrong(f'{event} is neither an instant nor the begin of a slice')
        category, = (self.names['event_categories'][iid] for iid in event['category_iids'])
        is_slice = event['type'] == SLICE_BEGIN
        added = (Slice if is_slice else Instant)(time, track, category, self.names['event_names'][event['name_iid']],
                                                 self.named(event.get('debug_annotations', [])))
        (self.slices if is_slice else self.instants).append(added)
        if is_slice:
            # Perfetto sorts by time and puts what overlaps into one another.
            if track.open is not None or time < track.ended:
                raise Wrong(f'{event} begins within another slice of {track.path}')
            track.open = added

    def named(self, annotations):
        names = [self.names['debug_annotation_names'][annotation['name_iid']] for annotation in annotations]
        if len(names) != len(set(names)):
            raise Wrong(f'values of one name: {names}')
        return dict(zip(names, map(self.value, annotations)))

    def value(self, annotation):
        (field, value), = ((field, value) for field, value in annotation.items() if field != 'name_iid')
        if field == 'dict_entries':
            return self.named(value)
        return [self.value(element) for element in value] if field == 'array_values' else value
