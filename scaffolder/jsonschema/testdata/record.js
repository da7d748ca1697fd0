// Records what the npm package jsonschema says of schemas and values:
//
//	npm install --prefix DIR jsonschema@1.5.0
//	NODE_PATH=DIR/node_modules node record.js > recorded.jsonl
//
// Each line is {schema, value, errors}; errors is null where the package throws.
// What the faults of allOf repeat of those inside is left out.
const { validate } = require('jsonschema');

const written = [
  [{ type: 'string' }, ['a', 1, null, [], {}, true]],
  [{ type: ['string', 'null'] }, ['a', null, 1]],
  [{ type: 'integer' }, [1, 1.5, 5.0, '1', -0]],
  [{ type: 'number' }, [1.5, '1', true]],
  [{ type: 'whatever' }, [1]],
  [{ type: [{ type: 'string' }, 'number'] }, ['a', 1, true]],
  [{ type: 'object', required: ['a', 'b'] }, [{}, { a: 1 }, { a: 1, b: null }, []]],
  [{ properties: { a: { required: true } } }, [{}, { a: 1 }]],
  [{ properties: { a: { type: 'string', minLength: 3 }, b: { enum: ['p', 'q', 1, null, [1], { x: 1 }] } } },
    [{ a: 'ab', b: 'r' }, { a: 1 }, { b: [1] }, { b: { x: 1 } }, { b: null }]],
  [{ const: { a: [1] } }, [{ a: [1] }, { a: [2] }]],
  [{ const: 'x' }, ['x', 'y']],
  [{ pattern: '^[a-z]+$' }, ['abc', 'ABC', 1, '']],
  [{ pattern: '\\d{2}' }, ['a12b', 'a1b']],
  [{ minLength: 2, maxLength: 3 }, ['a', 'ab', 'abcd', '\u{1F600}', '\u{1F600}\u{1F600}']],
  [{ minItems: 1, maxItems: 2 }, [[], [1], [1, 2, 3]]],
  [{ minimum: 1, maximum: 3 }, [0, 1, 3, 4, 'x']],
  [{ minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: true }, [1, 2, 3]],
  [{ exclusiveMinimum: 1, exclusiveMaximum: 3 }, [1, 2, 3]],
  [{ multipleOf: 0.1 }, [0.3, 0.35, 1]],
  [{ divisibleBy: 3 }, [6, 7]],
  [{ uniqueItems: true }, [[1, 2], [1, 1], [{ a: 1, b: 2 }, { b: 2, a: 1 }], ['1', 1]]],
  [{ minProperties: 1, maxProperties: 2 }, [{}, { a: 1 }, { a: 1, b: 1, c: 1 }]],
  [{ properties: { a: {} }, additionalProperties: false }, [{ a: 1 }, { a: 1, b: 2, c: 3 }]],
  [{ additionalProperties: { type: 'string' } }, [{ a: 1, b: 'x' }]],
  [{ patternProperties: { '^a': { type: 'string' } }, additionalProperties: false }, [{ a1: 1, a2: 'x' }, { b: 1 }]],
  [{ propertyNames: { maxLength: 2 } }, [{ abc: 1, d: 1 }]],
  [{ items: { type: 'string' } }, [['a', 1, 2]]],
  [{ items: [{ type: 'string' }, { type: 'number' }], additionalItems: false }, [['a', 1], ['a', 1, 2, 3], [1]]],
  [{ items: [{ type: 'string' }], additionalItems: { type: 'boolean' } }, [['a', 1, true]]],
  [{ contains: { type: 'string' } }, [[1, 2], [1, 'a']]],
  [{ anyOf: [{ type: 'string' }, { title: 'Num', type: 'number' }, { $id: 'x', type: 'null' }] }, [true, 1]],
  [{ oneOf: [{ type: 'string' }, { title: 'T', minLength: 2 }, { $ref: '#/definitions/d' }], definitions: { d: { type: 'null' } } }, ['a', 'ab', 1, true]],
  [{ allOf: [{ type: 'string' }, { minLength: 2 }] }, ['a', 'ab', 1]],
  [{ allOf: [{ title: 'T', allOf: [{ type: 'string' }] }] }, [1]],
  [{ not: { type: 'string' } }, ['a', 1]],
  [{ not: ['string', 'number'] }, ['a', 1, true]],
  [{ not: { $id: 'bad', type: 'string' } }, ['a']],
  [{ disallow: ['string'] }, ['a', 1]],
  [{ dependencies: { a: ['b', 'c'], d: 'e', f: { required: ['g'] } } }, [{ a: 1 }, { a: 1, b: 1, c: 1 }, { d: 1 }, { f: 1 }, { f: 1, g: 1 }]],
  [{ dependencies: { a: { oneOf: [{ properties: { a: { const: 1 } } }, { properties: { a: { const: 2 } }, required: ['b'] }] } } }, [{ a: 1 }, { a: 2 }, { a: 2, b: 1 }]],
  [{ if: { properties: { a: { const: 1 } } }, then: { required: ['b'] }, else: { required: ['c'] } }, [{ a: 1 }, { a: 2 }, { a: 1, b: 1 }, {}]],
  [{ definitions: { p: { type: 'object', properties: { next: { $ref: '#/definitions/p' }, n: { type: 'number' } } } }, $ref: '#/definitions/p' }, [{ next: { next: { n: 'x' } } }]],
  [{ properties: { a: { $ref: '#/definitions/a' } }, definitions: { a: { $id: '#a', type: 'string' } } }, [{ a: 1 }]],
  [{ properties: { 'a b': { type: 'string' }, 'x.y': { type: 'string' }, '1a': { type: 'string' }, 10: { type: 'string' }, 'c[0]': { type: 'string' }, '': { type: 'string' } } },
    [{ 'a b': 1, 'x.y': 1, '1a': 1, 10: 1, 'c[0]': 1, '': 1 }]],
  [true, [1]], [false, [1, 'a']],
  [{ properties: { a: false } }, [{ a: 1 }, {}]],
  [{ type: 'object', title: 'T', $id: 'root', properties: { a: { type: 'string', id: 'inner' } } }, [{ a: 1 }, 1]],
  [{ title: 'keywords in this order', required: ['z'], type: 'string', minLength: 9 }, [{}, 'a']],
  [{ minLength: 9, type: 'string', enum: ['x'] }, ['a']],
  [{ default: 'x', description: 'd', examples: [1], 'ui:field': 'x', format: 'nobody-knows-it', type: 'string' }, ['a', 1]],
  [{ type: 'array', items: { type: 'object', properties: { tags: { type: 'array', items: { type: 'string', pattern: '^a' } } }, required: ['k'] } },
    [[{ tags: ['ab', 'b', 1] }, 3]]],
  [{ enum: 'no list' }, ['a']],
  [{ anyOf: {} }, ['a']],
  [{ properties: { a: null } }, [{ a: 1 }]],
  [{ multipleOf: 0 }, [1]],
  [{ $ref: '#/definitions/gone' }, [1]],
];

const formats = {
  email: ['a@b.co', 'a.b+c@d.example', 'a@', '@b', 'a b@c.de', 'a@b', 'a@[127.0.0.1]'],
  'date-time': ['2023-02-28T10:20:30Z', '2023-02-28 10:20:30+01:00', '2023-02-31T10:20:30.123Z', '2023-13-01T00:00:00Z', '2023-01-01', 'x'],
  date: ['2023-02-28', '2023-02-31', '2023-00-10', '23-1-1'],
  time: ['10:20:30', '24:00:00', '25:00:00', '10:20'],
  uri: ['http://a/b', 'urn:x', '/a/b', 'a b:c', 'x:'],
  hostname: ['a.b.c', 'a-b', '-a', 'a..b', 'a_b', 'a.'],
  ipv4: ['127.0.0.1', '256.1.1.1', '1.2.3'],
  ipv6: ['::1', '1:2:3:4:5:6:7:8', '1::2::3', 'x', '::ffff:1.2.3.4'],
  uuid: ['123e4567-e89b-12d3-a456-426614174000', '123E4567-E89B-12D3-A456-426614174000', '123e4567'],
  regex: ['^a$', '('],
  'json-pointer': ['', '/a/b', '/a~1b', 'a', '/~2'],
  'relative-json-pointer': ['0', '1/a', '0#', '/a'],
  color: ['red', '#fff', '#ffffff', 'fff', '#ff', 'rgb(1,2,3)', 'rgb(1,2,300)', 'rgb(1%,2%,100%)', 'reddish'],
  phone: ['+49123456789', '+1 234 567 8901', '123', '+1'],
  alpha: ['abc', 'ab1'], alphanumeric: ['ab1', 'a b'],
  'utc-millisec': ['123', '1.5', 'x'],
  'entity-name': ['anything goes'],
};

function record(schema, value) {
  let errors = null;
  try {
    errors = JSON.parse(JSON.stringify(validate(value, schema).errors, (k, v) => k === 'valid' ? undefined : v));
  } catch (e) { /* null */ }
  process.stdout.write(JSON.stringify({ schema, value, errors }) + '\n');
}

for (const [schema, values] of written) for (const value of values) record(schema, value);
for (const [format, values] of Object.entries(formats)) for (const value of values) record({ format }, value);

// Random schemas and values, always the same ones.
let state = 7;
const random = n => { state = (state * 1103515245 + 12345) % 2147483648; return Math.floor(state / 65536) % n; };
const pick = list => list[random(list.length)];
function value(depth) {
  switch (random(depth > 2 ? 5 : 7)) {
    case 0: return random(6) - 1;
    case 1: return random(40) / 10;
    case 2: return pick(['', 'a', 'ab', 'abc', 'p', 'q']);
    case 3: return pick([true, false, null]);
    case 4: return 'x'.repeat(random(5));
    case 5: return Array.from({ length: random(4) }, () => value(depth + 1));
  }
  return Object.fromEntries(Array.from({ length: random(4) }, () => [pick(['a', 'b', 'c', '1', 'd e']), value(depth + 1)]));
}
function schema(depth) {
  const out = {};
  for (let i = 1 + random(3); i > 0; i--) {
    const sub = () => depth > 2 ? { type: pick(['string', 'number', 'object', 'array', 'boolean', 'null']) } : schema(depth + 1);
    switch (random(20)) {
      case 0: out.type = pick(['string', 'number', 'integer', 'object', 'array', 'boolean', 'null']); break;
      case 1: out.type = [pick(['string', 'number']), pick(['object', 'array', 'null'])]; break;
      case 2: out.enum = Array.from({ length: random(4) }, () => value(2)); break;
      case 3: out.const = value(2); break;
      case 4: out.required = [pick(['a', 'b']), pick(['c', '1'])]; break;
      case 5: case 6: out.properties = { [pick(['a', 'b'])]: sub(), [pick(['c', '1', 'd e'])]: sub() }; break;
      case 7: out.additionalProperties = pick([false, sub()]); break;
      case 8: out.patternProperties = { [pick(['^a', 'b|c', '\\d'])]: sub() }; break;
      case 9: out.items = pick([sub(), [sub(), sub()]]); break;
      case 10: out.minLength = random(4); break;
      case 11: out.maxItems = random(3); break;
      case 12: out.minimum = random(5); break;
      case 13: out.multipleOf = pick([2, 0.1, 0.5]); break;
      case 14: out.anyOf = [sub(), sub()]; break;
      case 15: out.oneOf = [sub(), sub()]; break;
      case 16: out.allOf = [sub(), sub()]; break;
      case 17: out.not = sub(); break;
      case 18: out.if = sub(); out.then = sub(); out.else = sub(); break;
      case 19: out.dependencies = { a: pick([['b'], sub()]), c: 'd e' }; break;
    }
  }
  return out;
}
for (let i = 0; i < 1200; i++) record(schema(0), value(0));
