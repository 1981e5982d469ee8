/** As ECL's own page lists them. Source: sdpf.ntt.com, Image Storage, "List license switch types". */
export const licenceTypes = [
  "WindowsServer_2012R2_Standard_64bit_ComLicense",
  "WindowsServer_2012_Standard_64bit_ComLicense",
  "WindowsServer_2008R2_Enterprise_64bit_ComLicense",
  "WindowsServer_2008R2_Standard_64bit_ComLicense",
  "WindowsServer_2008_Enterprise_64bit_ComLicense",
  "WindowsServer_2008_Standard_64bit_ComLicense",
  "Red_Hat_Enterprise_Linux_6_64bit_BYOL",
];
