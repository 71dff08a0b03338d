#include "translate/grpc/content_type.h"

#include "http/field.h"

namespace doorward::translate::grpc {
namespace {

constexpr std::string_view kGrpc = "application/grpc";
constexpr std::string_view kWeb = "-web";
constexpr std::string_view kText = "-text";

// Takes `prefix`, in any case, off the beginning of `text`.
bool take(std::string_view& text, std::string_view prefix) {
  if (!http::equal_ignore_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view name_of(Wire wire) {
  switch (wire) {
    case Wire::none:
      return {};
    case Wire::grpc:
      return "application/grpc";
    case Wire::web:
      return "application/grpc-web";
    case Wire::web_text:
      return "application/grpc-web-text";
  }
  return {};
}

}  // namespace

ContentType read_content_type(std::string_view value) {
  std::string_view rest = http::trim(value.substr(0, value.find(';')));
  if (!take(rest, kGrpc)) return {};
  ContentType type{Wire::grpc, {}};
  if (take(rest, kWeb)) type.wire = take(rest, kText) ? Wire::web_text : Wire::web;
  if (rest.empty()) return type;
  if (rest.front() != '+' || !http::is_token(rest.substr(1))) return {};
  type.format = rest;
  return type;
}

std::string_view write_content_type(const ContentType& type, Arena& arena) {
  if (type.format.empty()) return name_of(type.wire);
  return arena.join(name_of(type.wire), type.format);
}

}  // namespace doorward::translate::grpc
