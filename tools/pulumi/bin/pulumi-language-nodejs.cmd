@echo off
rem As pulumi-language-nodejs, for Windows.
setlocal
for /f "delims=" %%n in ('where node') do if not defined PULUMI_IMAGES_PROGRAM_NODE set "PULUMI_IMAGES_PROGRAM_NODE=%%n"
"%~dp0..\..\..\node_modules\node\bin\node.exe" "%~dp0..\languageHost.ts" %*
