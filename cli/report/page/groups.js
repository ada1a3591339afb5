// Which columns are drawn in which plot: one plot for each counter, one line in it for each place and trace.

// "node0.Normal.nr_free_pages" is the counter nr_free_pages of the place "node0 Normal".
function partsOf(name) {
  const forms = [/^(node\d+)\.(hugetlb-.*)$/, /^(node\d+)\.([^.]+)\.(.+)$/, /^(node\d+)\.(.+)$/, /^cma\.(.+)\.([^.]+)$/];
  for (const form of forms) {
    const found = form.exec(name);
    if (!found) continue;
    return found.length === 4 ? {place: `${found[1]} ${found[2]}`, counter: found[3]} : {place: found[1], counter: found[2]};
  }
  return {place: '', counter: name};
}

const sections = [
  {id: 'memory', title: 'Free memory', has: /^(nr_free_pages|pcp_count)$/},
  {id: 'hugetlb', title: 'HugeTLB pools', has: /^(hugetlb-|htlb_)/},
  {id: 'thp', title: 'Transparent huge pages', has: /^(thp_|nr_anon_transparent|khugepaged_|huge_zero|nr_shmem_(hugepages|pmd))/},
  {id: 'numa', title: 'NUMA hits and misses', has: /^(numa_|interleave_hit|local_node|other_node)/},
  {id: 'contig', title: 'Contiguous ranges', has: /^(cma_|virtio_mem|offline_|blocks_o)/},
  {id: 'failures', title: 'Failures', has: /fail/},
];

// By counter: {counter, unit, columns: [{trace, column, place}]} of all columns that change in any trace.
function collect() {
  const counters = new Map();
  const constant = new Map();
  for (const trace of traces) {
    for (const column of trace.columns) {
      const changes = traces.some((other) => other.byName.get(column.name)?.a);
      if (!changes) { constant.set(column.name, column); continue; }
      const {place, counter} = partsOf(column.name);
      if (!counters.has(counter)) counters.set(counter, {counter, unit: column.unit, columns: []});
      counters.get(counter).columns.push({trace, column, place});
    }
  }
  return {counters, constant};
}

function chartOf(group) {
  const places = [...new Set(group.columns.map((one) => one.place))];
  return new TimeChart({title: group.counter, unit: group.unit, series: group.columns.map(({trace, column, place}) => {
    const colour = places.length > 1 ? places.indexOf(place) : trace.index;
    const label = [place || (traces.length === 1 ? group.counter : ''), traces.length > 1 ? trace.label : '']
        .filter((text) => text).join(', ');
    return {trace, column, label, colour: () => colourOf(colour), pattern: patterns[trace.index]};
  })});
}

// Free memory by order, a stack for each zone and trace.
function orderCharts() {
  const charts = [];
  for (const trace of traces) {
    const zones = new Map();
    for (const column of trace.columns) {
      const found = /^(.*)\.free_blocks\.order(\d+)$/.exec(column.name);
      if (!found) continue;
      if (!zones.has(found[1])) zones.set(found[1], []);
      zones.get(found[1]).push({trace, column, order: Number(found[2])});
    }
    for (const [zone, orders] of zones) {
      if (!orders.some((one) => one.column.a)) continue;
      charts.push(new TimeChart({title: `${zone}: free by order${traces.length > 1 ? `, ${trace.label}` : ''}`, unit: 'pages',
        stacked: true, series: orders.map(({column, order}) => ({trace, column, label: `order ${order}`, factor: 2 ** order,
          colour: () => orderColours[order % orderColours.length], pattern: null}))}));
    }
  }
  return charts;
}
