/** Query parameters that sign a url, and so give access to whoever reads it: AWS, Google, Azure, OpenStack temp urls and their like. */
const signing =
  /^(x-amz-|x-goog-|x-oss-|x-ms-)|signature|^sig$|^se$|^sp$|^sv$|^sr$|^st$|^sks|^ske|^skt|^skv|token|secret|password|credential|expires|^key-pair-id$|^policy$|api[-_]?key|access[-_]?key|auth/i;

/** Whether a text is a url: a path on Windows can look like one of the scheme `c:`. */
export function isUrl(text: string): boolean {
  return URL.canParse(text) && !/^[a-z]:/i.test(text);
}

/** A url as it may be shown and kept: without user and password, without the parameters that sign it, without its fragment. */
export function publicUrl(url: string): string {
  if (!isUrl(url)) return url;
  const shown = new URL(url);
  const signed = [...shown.searchParams.keys()].filter(name => signing.test(name));
  if (shown.username === "" && shown.password === "" && signed.length === 0 && shown.hash === "") return url;
  shown.username = "";
  shown.password = "";
  shown.hash = "";
  for (const name of signed) shown.searchParams.delete(name);
  return shown.toString();
}
