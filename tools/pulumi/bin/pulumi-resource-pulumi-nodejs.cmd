@echo off
rem As pulumi-resource-pulumi-nodejs, for Windows.
"%~dp0..\..\..\node_modules\@pulumi\pulumi\pulumi-resource-pulumi-nodejs.cmd" %*
