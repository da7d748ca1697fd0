// Records how JavaScript reads and writes JSON, for the Go tests to be held
// against:
//
//     node json.mjs > json.json
//
// There is no chance in it: a second run writes the same file.
const bits = new DataView(new ArrayBuffer(8));
const double = hex => (bits.setBigUint64(0, BigInt('0x' + hex)), bits.getFloat64(0));
const hex = n => (bits.setFloat64(0, n), bits.getBigUint64(0).toString(16).padStart(16, '0'));

let state = 7n; // splitmix64
function random() {
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return z ^ (z >> 31n);
}
const numbers = [0, -0, 1, -1, 0.5, 1.5, 100, 1e20, 1e21, 123456789012345680000, 999999999999999900000, 1e22, -1e21, 1e-5, 1e-6, 1e-7, 9.999999e-7, 1.5e-7, -1e-7, 1e100, 1e-100, 1e300,
  5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 0.2, 0.30000000000000004, 1 / 3, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64, -(2 ** 31), 1e7, 123.456, 4.35, 1e15 + 0.5, NaN, Infinity, -Infinity];
for (let e = -25; e <= 25; e++) numbers.push(Number(`1.25e${e}`), Number(`-7e${e}`));
for (let i = 0; i < 150; i++) numbers.push(double(random().toString(16).padStart(16, '0')));
for (let i = 0; i < 50; i++) numbers.push(Number(random() % 100000000n) / 100);

function* words(pieces, most) {
  let last = [''];
  yield '';
  for (let n = 1; n <= most; n++) {
    last = last.flatMap(word => pieces.map(piece => word + piece));
    yield* last;
  }
}
const texts = [
  ...words(['{', '}', '[', ']', ',', ':', '"a"', '1'], 4),
  ...words(['-', '0', '1', '.', 'e', '+'], 4), '1E5', '1e05', '01', '-01', '0x1', '1_0', '+1', '.5', '5.', '1e', '1e+', '--1', 'Infinity', 'NaN', '-Infinity', '1e400', '-1e400', '1e-400', '123456789012345678901234567890', '0.1e1', '1.0', '-0', '-0.0', '-1e-400', '1.7976931348623159e308', '2e-324', '3e-324',
  'true', 'false', 'null', 'tru', 'truee', 'True', 'nul', 'nulll', 'undefined', 'true false', '1 2', '[1,]', '[,1]', '{"a":1,}', '{,}', '{"a"}', '{a:1}', "{'a':1}", '{"a":1 "b":2}', '{1:2}', '[1 2]', '{"a":}', '{:1}', '"', '"\\', '"\\u', '"\\u00', '"\\u00g0"', '"\\x"', '"\\u0041"', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\U0041"', '"\\/"', '"/"', '"\\b\\f\\n\\r\\t\\"\\\\"', '"\u0000"', '"\u001f"', '"\n"', '"\t"', '"\u007f"', '"\u0080"', '"\u2028\u2029"', '"<>&"', '"\\u0000\\u001f\\u007f"', '"é😀"', "'a'", '`a`', '//x\n1', '/**/1', '1//x', '\ufeff1', '\u00a01', '\u00851', '\v1', '\f1', ' \t\n\r1 \t\n\r', ' ', '\n',
  // order and repetition of keys
  '{"b":1,"a":2}', '{"b":1,"a":2,"b":3}', '{"2":1,"1":2,"b":3,"0":4}', '{"b":0,"10":1,"9":2,"01":3,"-1":4,"1.5":5,"4294967294":6,"4294967295":7,"4294967296":8}', '{"a":{"1":1,"0":2},"":3}', '{"1":1,"1":2,"0":3}', '{"__proto__":{"a":1},"constructor":2,"toString":3}', '{"a":1,"A":2,"á":3,"a\\u0301":4}', '{"a\\u0000b":1}', '{"\\u0061":1,"a":2}', '{"9007199254740993":1,"1e3":2,"1000":3}',
  '[[[[]]],{"a":[{}]}]', '[null,true,false,0,"",[],{}]',
];
const written = [];
for (const text of new Set(texts)) {
  try {
    written.push([text, JSON.stringify(JSON.parse(text))]);
  } catch {
    written.push([text]);
  }
}
const list = items => `[\n${items.map(i => '    ' + JSON.stringify(i)).join(',\n')}\n  ]`;
process.stdout.write(`{\n  "numbers": ${list(numbers.map(n => [hex(n), String(n)]))},\n  "texts": ${list(written)}\n}\n`);
