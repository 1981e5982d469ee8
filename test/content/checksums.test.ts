import assert from "node:assert/strict";
import { findChecksum, parseChecksums } from "../../provider/content/checksums.ts";
import { ImagesError } from "../../provider/errors.ts";
import { hex } from "./fixture.ts";

const a = hex("sha256", "a");
const b = hex("sha256", "b");

describe("checksums files", () => {
  for (const [format, text] of [
    ["coreutils, text", `${b}  other.img\n${a}  noble.img\n`],
    ["coreutils, binary", `${b} *other.img\n${a} *noble.img\n`],
    ["coreutils with folders", `${b}  ./x/other.img\n${a}  ./x/noble.img\n`],
    ["Windows line ends and a BOM", `\uFEFF${b}  other.img\r\n${a}  noble.img\r\n`],
    ["upper case", `${b}  other.img\n${a.toUpperCase()}  noble.img`],
    ["BSD", `SHA256 (other.img) = ${b}\nSHA256 (noble.img) = ${a}\n`],
    [
      "Fedora, signed",
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# noble.img: 555745280 bytes\nSHA256 (noble.img) = ${a}\n# other.img: 1 bytes\nSHA256 (other.img) = ${b}\n-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCAAdFiEEsYZg\n=abcd\n-----END PGP SIGNATURE-----\n`,
    ],
    ["one bare digest", `${a}\n`],
  ] as const)
    it(`reads ${format}`, () =>
      assert.deepEqual(findChecksum(text, "noble.img", "SUMS"), { algorithm: "sha256", hex: a }));

  it("knows the algorithm by the digest's length", () => {
    for (const algorithm of ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
      assert.equal(findChecksum(`${hex(algorithm, "x")}  f`, "f", "SUMS").algorithm, algorithm);
  });

  it("takes the strongest of several", () => {
    const text = `MD5 (f) = ${hex("md5", "a")}\nSHA512 (f) = ${hex("sha512", "a")}\nSHA256 (f) = ${a}\n`;
    assert.deepEqual(findChecksum(text, "f", "SUMS"), { algorithm: "sha512", hex: hex("sha512", "a") });
  });

  it("doesn't take a name that only ends alike, nor a digest of the wrong length", () => {
    assert.throws(() => findChecksum(`${a}  my-noble.img\n`, "noble.img", "SUMS"), {
      message: /no line for noble.img.*my-noble.img/,
    });
    assert.deepEqual(parseChecksums(`SHA256 (f) = ${hex("sha1", "a")}\n${a.slice(1)}  f\n`), []);
  });

  it("names what is missing, and what there is", () => {
    assert.throws(
      () => findChecksum(`${a}  one.img\n${b}  two.img\n`, "three.img", "https://h/SUMS"),
      (error: ImagesError) =>
        error instanceof ImagesError &&
        error.code === "content" &&
        /https:\/\/h\/SUMS has no line for three\.img\. It has one\.img, two\.img/.test(error.message),
    );
    assert.throws(() => findChecksum("<html><body>", "x", "SUMS"), { message: /no checksum.*web page/ });
    assert.throws(() => findChecksum(`${a}  f\n${b}  f\n`, "f", "SUMS"), { message: /two different sha256/ });
  });
});
