'use strict';
// The sweep as numasim wrote it into the page (sweep_page_data.cc says in what form), and which of its points
// make a line.

const sweep = JSON.parse(document.getElementById('data').textContent);
const view = {plots: []};  // each has build() and repaint()

// Lines that can be told apart; of more sets of values each point stands for itself.
const mostLines = 24;

// "guests=4, nodes=2": the values of parameters at these places, without one of them.
function othersText(places, without) {
  return sweep.parameters.map(({name, values}, p) => (p === without ? '' : `${name}=${values[places[p]]}`))
      .filter((text) => text).join(', ');
}

// The points by the values of all parameters but one: [{label, points: places in sweep.points}].
function linesOver(parameter) {
  const lines = new Map();
  sweep.points.forEach((point, i) => {
    const label = othersText(point, parameter);
    if (!lines.has(label)) lines.set(label, {label: label || 'median', points: []});
    lines.get(label).points.push(i);
  });
  if (lines.size <= mostLines) return [...lines.values()];
  return [{label: `median of a point; the other parameters have ${lines.size} sets of values`, points: sweep.points.map((_, i) => i), apart: true}];
}
