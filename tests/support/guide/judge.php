<?php
// SPDX-License-Identifier: Apache-2.0
// See judge.py.
require 'verify.php';

// A warning is a fault of the guide's.
set_error_handler(function (int $level, string $message): bool {
    fwrite(STDERR, "$message\n");
    exit(1);
});

function said(callable $judge, string $secret, array $server, string $body): string
{
    try {
        return $judge($secret, $server, $body) ? 'true' : 'false';
    } catch (InvalidArgumentException $error) {
        return 'error';
    }
}

while (($line = fgets(STDIN)) !== false) {
    $fields = array_map('base64_decode', explode('|', rtrim($line, "\n")));
    $server = [];
    for ($i = 2; $i < count($fields); $i += 2) {
        $server['HTTP_' . strtoupper(strtr($fields[$i], '-', '_'))] = $fields[$i + 1];
    }
    echo said('verify', $fields[0], $server, $fields[1]), ' ', said('verify_plain', $fields[0], $server, $fields[1]), "\n";
}
