#!/bin/bash
# The image's HEALTHCHECK, without a HTTP client in the image: does the server take traffic? healthcheck [PORT]
# A server that speaks TLS (tls.certificate) cannot be asked this way.
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${1:-8080}"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 status <&3
echo "${status%$'\r'}"
[[ $status == 'HTTP/1.1 200 '* ]]
