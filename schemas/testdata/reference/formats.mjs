// Records which values Backstage takes for well-formed, and its words for those
// that it does not, for the Go tests to be held against:
//
//     npm install --prefix DIR @backstage/catalog-model@1.10.1
//     node formats.mjs DIR > formats.json
//
// Values are made of pieces that matter to a format, put together in all ways
// up to some length, and of lengths at and beside the limits. There is no
// chance in it: a second run writes the same file.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(join(resolve(process.argv[2]), 'x.js'));
const { makeValidator, CommonValidatorFunctions, FieldFormatEntityPolicy } = require('@backstage/catalog-model');

function* words(pieces, most) {
  let last = [''];
  yield '';
  for (let n = 1; n <= most; n++) {
    last = last.flatMap(word => pieces.map(piece => word + piece));
    yield* last;
  }
}
const at = (...limits) => limits.flatMap(n => ['a'.repeat(n), 'A'.repeat(n), '1' + '-'.repeat(n - 2) + 'z', 'a.'.repeat(n / 2) + 'a'.repeat(n % 2)]);
const plain = [...words(['a', 'B', '0', '-', '_', '.'], 3), ...at(62, 63, 64)];
const odd = [' ', ' a', 'a ', 'a b', 'a\n', 'a\tb', 'é', 'a\u0301', 'a\u0000', 'ａ', '😀', 'K', 'a,b', 'a@b', 'a%20'];
const prefixed = [
  ...['a', 'A', 'a.b', 'a..b', '.a', 'a.', 'a-b.c', '-a', 'a-', 'a_b', '', 'x'.repeat(63), 'x'.repeat(64), 'é',
    ('x'.repeat(49) + '.').repeat(5) + 'xyz', ('x'.repeat(49) + '.').repeat(5) + 'xyzz', 'example.com', '1.2.3.4', 'a/b']
    .flatMap(prefix => ['', 'n', 'N-_.n', 'n-', '-n', 'v1alpha1', 'n'.repeat(63), 'n'.repeat(64)].map(name => `${prefix}/${name}`)),
];
const v = makeValidator();

// Pieces of URLs: what comes before, in, and after the host.
const urls = [
  ...['http:', 'https:', 'HTTP:', 'ftp:', 'ws:', 'file:', 'mailto:', 'custom+x-1.0:', '1http:', 'h ttp:', 'javascript:', 'data:', ':', '', 'http', '+a:'].flatMap(scheme =>
    ['', '/', '//', '///', '\\\\', '/\\', 'x', '//x', '///x', '//x:80', '//x:', '//x:65535', '//x:65536', '//x:a', '//x:-1', '//u@x', '//u:p@x', '//u:p@', '//@', '//:80',
      '//x y', '//x/a b', '//x?q', '//x#f', '//?q', '//#f', '//x\\y', '//é.com', '//%41', '//%', '//%zz', '//%00', '//%2f', '//x%20y', '//a_b', '//x.', '//.', '//..', '//x..y', '//-', '//*', '//x|y', '//x^y', '//x<y', '//x>y', '//x[y', '//{x}', '//x`y', "//x'y", '//x"y', '//x!y', '//C:/x', '//C|/x', '//x:8 0', '//x:000080', '//\u00ad', '//x\u00ady', '//xn--', '//xn--a', '//ＡＢ', '//x\u007f', '//localhost', '//a@b@c', '//a/@b'].map(rest => scheme + rest)),
  ...['1.2.3.4', '1.2.3', '1.2', '1', '256', '4294967295', '4294967296', '1.2.3.256', '256.1.1.1', '1.2.3.4.5', '0x7f.1', '0x', '0x1.0x', '08', '0377.1', '0400.1', '09.1', '1.2.3.4.', '1.2.3.4..', '1..2', 'a.1', '1.a', '1.2.3.08', 'x.0x1', 'x.0xg', '0xffffffff', '0x100000000', '1.65536', '1.16777215', '1.16777216', '1.2.65535', '1.2.65536', '٣', '１', '1e1', '0b1', '1_0', '%31', '+1', '1.-1', '0x+1', '00000000000000000001',
    '[::1]', '[::]', '[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7]', '[::1.2.3.4]', '[::1.2.3.256]', '[::01.2.3.4]', '[::g]', '[::1', '::1]', '[::1]x', '[::1]:80', '[::1]:x', '[::1%25eth0]', '[fe80::1%eth0]', '[]', '[::1::]', '[12345::]', '[1.2.3.4]', '[v1.x]', '[:: 1]', '[::ffff:1.2.3]']
    .flatMap(host => [`http://${host}`, `https://u:p@${host}/x`, `file://${host}/x`, `custom://${host}/x`]),
  ' http://x', 'http://x ', '\thttp://x\n', 'ht\ntp://x', 'http:/\n/x', 'http://x\ny', '\u0000http://x', '\u00a0http://x', 'http://x\u0000', 'http:x', 'http:/x', 'http:\\x', 'https:x:80', 'a', 'not a url', '/path', './x', '//x', '#f', 'http://a.b.c.d.e/f?g=h&i=j#k', `http://${'x'.repeat(300)}`, `http://${'x.'.repeat(200)}`, 'http://user:pa:ss@x', 'http://us/er@x', 'http://us\\er@x', 'http://x:80:90', 'urn:a:b', 'tel:+1', 'x:', 'x://', 'x:///y', 'x://y z', 'x://y:99999', 'x://u@', 'x://u@:1', 'x://:1', 'blob:http://x', 'about:blank', 'http://ex ample.com', 'https://exa%23mple.org', 'https://faß.de', 'https://xn--fa-hia.de', 'https://\ud800.com', 'https://a\u200b.com', 'https://\u2260.com', 'https://a\u3002b', 'https://\u0378.com',
];

const formats = {
  apiVersion: [v.isValidApiVersion, [...plain, ...odd, ...prefixed]],
  kind: [v.isValidKind, [...plain, ...odd, 'a/b']],
  name: [v.isValidEntityName, [...plain, ...odd, 'a/b']],
  namespace: [v.isValidNamespace, [...plain, ...odd, 'a/b', ...words(['a', '0', '-'], 5)]],
  key: [v.isValidLabelKey, [...plain, ...odd, ...prefixed]],
  annotationKey: [v.isValidAnnotationKey, [...plain, ...odd, ...prefixed]],
  labelValue: [v.isValidLabelValue, [...plain, ...odd]],
  string: [v.isValidAnnotationValue, ['', ' ', 'a', ...odd]],
  tag: [v.isValidTag, [...plain, ...odd, ...words(['a', 'A', '0', '-', ':', '+', '#'], 3)]],
  url: [CommonValidatorFunctions.isValidUrl, urls],
  text: [CommonValidatorFunctions.isNonEmptyString, ['', 'a', ...['\t', '\n', '\v', '\f', '\r', ' ', '\u0085', '\u00a0', '\u1680', '\u180e', '\u2000', '\u200a', '\u200b', '\u2028', '\u2029', '\u202f', '\u205f', '\u2060', '\u3000', '\ufeff'].flatMap(c => [c, c + c, c + 'a'])]],
};
const values = {};
for (const [name, [validate, candidates]] of Object.entries(formats)) {
  values[name] = { valid: [], invalid: [] };
  // Text that is not Unicode cannot be told in JSON.
  for (const value of new Set(candidates.filter(c => c.isWellFormed()))) values[name][validate(value) ? 'valid' : 'invalid'].push(value);
}

// Messages: one field of an otherwise good entity has a value that is not well-formed.
const policy = new FieldFormatEntityPolicy();
const wrong = ['', ' ', 'a b', null, true, false, 0, -0, 1.5, 1e21, 1e-7, 123456789012345680000, [], [1, [2, null], 'x'], {}, { a: 1 }, 'é"\n'];
const messages = [];
const fields = {
  apiVersion: [(e, v) => { e.apiVersion = v; }, 'apiVersion'],
  kind: [(e, v) => { e.kind = v; }, 'kind'],
  'metadata.name': [(e, v) => { e.metadata.name = v; }, 'name'],
  'metadata.namespace': [(e, v) => { e.metadata.namespace = v; }, 'namespace'],
  'labels.k': [(e, v) => { e.metadata.labels = { k: v }; }, 'labelValue'],
  'annotations.k': [(e, v) => { e.metadata.annotations = { k: v }; }, 'string'],
  'tags.0': [(e, v) => { e.metadata.tags = [v]; }, 'tag'],
  'links.0.url': [(e, v) => { e.metadata.links = [{ url: v }]; }, 'url'],
  'links.0.title': [(e, v) => { e.metadata.links = [{ url: 'https://x', title: v }]; }, 'text'],
};
for (const [field, [set, format]] of Object.entries(fields)) {
  for (const value of wrong) {
    const entity = { apiVersion: 'a/v1', kind: 'K', metadata: { name: 'n' } };
    set(entity, value);
    let message = '';
    await policy.enforce(entity).catch(e => { message = e.message; });
    messages.push({ field, format, value, message });
  }
}
const list = items => `[\n${items.map(i => '    ' + JSON.stringify(i)).join(',\n')}\n  ]`;
process.stdout.write(`{\n  "values": {\n${Object.entries(values).map(([n, { valid, invalid }]) =>
  `    ${JSON.stringify(n)}: {\n      "valid": ${JSON.stringify(valid)},\n      "invalid": ${JSON.stringify(invalid)}\n    }`).join(',\n')}\n  },\n  "messages": ${list(messages)}\n}\n`);
