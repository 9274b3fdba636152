# SPDX-License-Identifier: Apache-2.0
# See judge.py.
require "./verify"

def said
  yield ? "true" : "false"
rescue ArgumentError
  "error"
end

$stdin.each_line(chomp: true) do |line|
  secret, body, *rest = line.split("|", -1).map { |field| field.unpack1("m0") }
  # As text, whose bytes may be none: the harder case for Ruby.
  headers = rest.each_slice(2).to_h { |name, value| [name.downcase, value.force_encoding("UTF-8")] }
  puts [said { verify(secret, headers, body) }, said { verify_plain(secret, headers, body) }].join(" ")
end
