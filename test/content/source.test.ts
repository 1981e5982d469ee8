import assert from "node:assert/strict";
import { checkSource, type Source, shownSource } from "../../provider/content/index.ts";

const sha256 = "a".repeat(64);
const problems = (source: unknown) => checkSource(source as Source).map(({ path, message }) => `${path}: ${message}`);

describe("a source's rules", () => {
  it("accepts files and urls with everything that belongs to them", () => {
    for (const source of [
      { file: "build/ubuntu.qcow2" },
      { file: "~/odd but legal name", digest: `sha256:${sha256}`, decompress: "none" },
      { file: "C:\\images\\a.img", decompress: "xz", maxSize: 1e12, maxRatio: 50_000 },
      {
        url: "https://example.org/a.img.xz",
        checksums: "https://example.org/SHA256SUMS",
        decompress: "auto",
        headers: { Authorization: "Bearer x" },
      },
      { url: "http://127.0.0.1:8080/a.img", digest: `SHA512:${"B".repeat(128)}`, mode: "stream" },
      { url: "https://example.org/a.img", mode: "import" },
    ])
      assert.deepEqual(problems(source), []);
  });

  for (const [what, source, expected] of [
    ["both file and url", { file: "a", url: "https://b/c" }, /^: has both file and url/],
    ["neither", {}, /^: has neither/],
    ["an empty path", { file: "" }, /^file: must be the path/],
    ["a url as file", { file: "https://user:secret@host/a?sig=1" }, /^file: .*is a url/],
    ["a NUL in the path", { file: "a\0b" }, /^file: .*NUL/],
    ["headers of a file", { file: "a", headers: {} }, /^headers: belongs to a url/],
    ["a relative url", { url: "images/a.img" }, /^url: isn't a url/],
    ["ftp", { url: "ftp://host/a" }, /^url: begins with ftp:\/\/: only http and https/],
    ["a file url", { url: "file:///etc/passwd" }, /^url: .*give its path as file/],
    ["a header of ours", { url: "http://h/a", headers: { Range: "bytes=1-" } }, /^headers: Range is set by/],
    [
      "a header with a line break",
      { url: "http://h/a", headers: { "X-A": "b\r\nX-C: d" } },
      /^headers: the value of X-A/,
    ],
    ["an odd header name", { url: "http://h/a", headers: { "X A": "b" } }, /^headers: "X A" isn't/],
    ["import with headers", { url: "http://h/a", mode: "import", headers: { a: "b" } }, /^headers: can't be passed on/],
    ["import with decompress", { url: "http://h/a", mode: "import", decompress: "gz" }, /^decompress: .*mode "stream"/],
    ["an unknown mode", { url: "http://h/a", mode: "copy" }, /^mode: must be/],
    ["digest and checksums", { file: "a", digest: `sha256:${sha256}`, checksums: "b" }, /^checksums: .*one of them/],
    ["a digest without algorithm", { file: "a", digest: sha256 }, new RegExp(`^digest: .*write "sha256:${sha256}"`)],
    ["a short digest", { file: "a", digest: "sha256:abc" }, /^digest: a sha256 digest .* 64 hex digits.* 3 digits/],
    ["an unknown algorithm", { file: "a", digest: "crc32:abcdef01" }, /^digest: .*known: sha512/],
    ["an unknown compression", { file: "a", decompress: "zip" }, /^decompress: must be one of gz, bz2, xz, zst/],
    ["a limit of zero", { file: "a", maxSize: 0 }, /^maxSize: must be a number above 0/],
  ] as const)
    it(`refuses ${what}`, () => {
      const found = problems(source);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] as string, expected);
    });

  it("is shown without what may be secret", () => {
    assert.equal(shownSource({ url: "https://user:pass@host/a/b.img?X-Amz-Signature=abc" }), "https://host/a/b.img?…");
  });
});
