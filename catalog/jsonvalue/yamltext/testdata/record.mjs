// Writes reference.jsonl: lines of [value, text], the text being what the npm
// package "yaml" 2.9.1 makes of the value.
//
//   npm install yaml@2.9.1 && node record.mjs > reference.jsonl
import { stringify, parse } from 'yaml';

let seed = 7;
const below = n => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = list => list[below(list.length)];

const chosen = [
  null, true, false, 0, -1, 1.5, 1e21, 1e-7, '', ' ', '\n', '\n\n', '\t', '~', 'null', 'Null', 'NULL', 'nUll', 'true', 'True', 'yes', 'on', 'y',
  '007', '0o17', '0x1f', '1_000', '1e3', '1.', '.5', '-.5', '+1', '.inf', '-.INF', '.nan', '12:30:45', '2001-12-14', '<<', '=', '-', '?', '- a', '-a', '? a', '?a',
  ':', 'a:', 'a: b', 'a:b', ':a', '#', '# a', 'a #b', 'a#b', '@a', '`a', '%a', '---', '--- a', '...', '...a', '&a', '*a', '!a', '|', '>', "'", '"', "it's", 'say "hi"',
  `both ' and "`, '{a}', '[a]', 'a,b', ',a', 'a, b', '{{ x }}', '${{ x }}', ' a', 'a ', '\ta', 'a\t', 'a\tb', 'tab\t#x', 'ä', '日本', '😀', '\u0000', '\u0007', '\u001b', '\r', 'a\r\nb',
  '\u2028', 'a\\b', 'a\nb', 'a\nb\n', 'a\nb\n\n', '\na', '\n a', ' a\nb', '  a\n b\n', 'a\n\nb', 'a\n b\nc', 'a \nb', 'a\n\n\n', 'a\n ', 'a\n \n', '\n \n', '#a\nb', 'a\n#b', 'a\n--- b', '- a\n- b',
  'x'.repeat(100), 'word '.repeat(30), 'word '.repeat(30) + '\nshort', 'word '.repeat(17) + 'x'.repeat(90) + '\nshort', 'word '.repeat(30) + '\n  inset ' + 'word '.repeat(20) + '\nend\n',
  'say "hi" '.repeat(20), "it's ".repeat(30), `'"`.repeat(60), `'" `.repeat(60), 'a: b '.repeat(30), `"it's"\n`.repeat(9) + ' ', 'tab\t'.repeat(30), '😀 '.repeat(50), '\u0001'.repeat(30),
  [], {}, [[]], [{}], [[1, [2]], 3], { a: [] }, { a: {} }, { a: [{ b: 1, c: [2] }, {}] }, { '': 1 }, { ' ': 1 }, { 'a b': 1 }, { 'a: b': 1 }, { 1: 2 }, { 'a\nb': 1 }, { null: null }, { true: 1 },
  { ['k'.repeat(70)]: 'word '.repeat(20).trim() }, { ['k'.repeat(1100)]: ['v'] }, { '---': '---' }, { a: { '---': 'a\n--- b' } }, { "it's": `say "hi"` }, { '- a': '- b' },
];

const words = ['a', 'yes', 'word', 'longer-word', 'https://example.com/a/b?c=d#e', '"', "'", '#', '- ', ': ', 'é', '{x}', '12', '\\', 'x'.repeat(45), '😀'];
const spaces = [' ', ' ', ' ', ' ', ' ', '\n', '\n\n', '\n  ', '  '];
const text = () => Array.from({ length: below(40) }, () => pick(words) + pick(spaces)).join('').trim() + pick(['', '', '', '\n', '\n\n']);
const value = depth => {
  const n = below(depth > 3 ? 7 : 10);
  if (n < 6) return text();
  if (n === 6) return pick([1, 2.5, true, null, -3]);
  if (n === 7) return Array.from({ length: below(4) }, () => value(depth + 1));
  return Object.fromEntries(Array.from({ length: below(5) }, () => [pick(words) + below(100), value(depth + 1)]));
};

const generated = Array.from({ length: 250 }, () => value(0));
for (const v of [...chosen, ...generated]) {
  const out = stringify(v);
  // What the package itself does not read back is no example to follow.
  let same = false;
  try {
    same = JSON.stringify(parse(out)) === JSON.stringify(v);
  } catch {}
  if (same) console.log(JSON.stringify([v, out]));
  else console.error('left out:', JSON.stringify(v).slice(0, 200));
}
