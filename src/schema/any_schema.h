// A schema without its type, for tables of schemas (the registry of policies): the same questions,
// asked at run time. AnySchema is owned by the table; AnyValue owns the struct that was read.
#pragma once

#include <memory>
#include <typeinfo>

#include "base/check.h"
#include "schema/value.h"

namespace doorward::schema {

// Holds one value of any movable type, or nothing.
class AnyValue {
 public:
  AnyValue() = default;
  template <class T>
  static AnyValue of(T value) {
    AnyValue made;
    made.type_ = &typeid(T);
    made.value_ = Pointer(new T(std::move(value)), [](void* p) { delete static_cast<T*>(p); });
    return made;
  }

  explicit operator bool() const { return value_ != nullptr; }
  // The value; asking for another type than it has is a programmer's error.
  template <class T>
  T& get() {
    DOORWARD_CHECK(value_ != nullptr && *type_ == typeid(T));
    return *static_cast<T*>(value_.get());
  }
  template <class T>
  const T& get() const {
    return const_cast<AnyValue*>(this)->get<T>();
  }

 private:
  using Pointer = std::unique_ptr<void, void (*)(void*)>;
  const std::type_info* type_ = nullptr;
  Pointer value_{nullptr, [](void*) {}};
};

class AnySchema {
 public:
  virtual ~AnySchema() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view doc() const = 0;
  virtual std::string_view example() const = 0;
  // Empty when it added an error. Keys in `also_known` are somebody else's to read.
  virtual AnyValue read(const text::Node& node, Diagnostics& diagnostics,
                        std::span<const std::string_view> also_known = {}) const = 0;
  virtual AnyValue defaults() const = 0;
  virtual Json to_json(const AnyValue& value) const = 0;
  virtual Json json_schema(Json& definitions) const = 0;
  virtual Reference reference() const = 0;
};

template <class T>
class ErasedSchema final : public AnySchema {
 public:
  explicit ErasedSchema(const SchemaOf<T>& schema) : schema_(schema) {}

  std::string_view name() const override { return schema_.name(); }
  std::string_view doc() const override { return schema_.doc(); }
  std::string_view example() const override { return schema_.example(); }
  AnyValue read(const text::Node& node, Diagnostics& diagnostics,
                std::span<const std::string_view> also_known) const override {
    T value{};
    if (!schema_.read(node, value, diagnostics, also_known)) return {};
    return AnyValue::of(std::move(value));
  }
  AnyValue defaults() const override { return AnyValue::of(schema_.defaults()); }
  Json to_json(const AnyValue& value) const override { return schema_.to_json(value.get<T>()); }
  Json json_schema(Json& definitions) const override { return schema_.json_schema(definitions); }
  Reference reference() const override { return schema_.reference(); }

 private:
  const SchemaOf<T>& schema_;
};

template <class T>
std::unique_ptr<AnySchema> erase_type(const SchemaOf<T>& schema) {
  return std::make_unique<ErasedSchema<T>>(schema);
}

// A whole JSON Schema document (2020-12) around a section's schema.
Json schema_document(const AnySchema& schema, std::string_view id);

}  // namespace doorward::schema
