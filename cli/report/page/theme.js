// Colours and patterns of lines. A place has a colour, a trace a pattern; where there is one place, a trace has
// both.

const palettes = {
  light: ['#1f5fa8', '#c4500c', '#1b7f4b', '#8a3ea8', '#8a6410', '#b3234a', '#0f7f8c', '#5b5b5b'],
  dark: ['#6aa9ee', '#f0904f', '#5cc48a', '#c58ae0', '#dcb24c', '#f0738f', '#4fc3cf', '#b8b8b8'],
};
const orderColours = ['#440154', '#482475', '#414487', '#355f8d', '#2a788e', '#21918c', '#22a884', '#44bf70', '#7ad151',
  '#bddf26', '#fde725'];
const patterns = [null, [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [2, 6]];

const darkQuery = window.matchMedia('(prefers-color-scheme: dark)');
let printing = false;

function colours() { return palettes[darkQuery.matches && !printing ? 'dark' : 'light']; }
function colourOf(i) { return colours()[i % colours().length]; }
function lineColour() { return darkQuery.matches && !printing ? '#3a4249' : '#d8dde2'; }
