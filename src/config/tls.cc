#include "config/tls.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <unistd.h>
#include <utility>

#include "config/named_files.h"
#include "loop/address.h"
#include "tls/certificate_folder.h"
#include "tls/pem.h"

namespace doorward::config {
namespace {

using exchange::CertificateConfig;
using exchange::TlsConfig;
using schema::Severity;

// The place of a path of the model; of what was written in a short form, the place of that.
text::Place place_of(const text::Node* written, std::string_view path) {
  while (written != nullptr) {
    const text::Node* node = schema::find_path(*written, path);
    if (node != nullptr) return node->place;
    const std::size_t end = path.find_last_of(".[");
    path = path.substr(0, end == path.npos ? 0 : end);
  }
  return {};
}

// Why a file cannot be read, with the way out.
std::string refusal(const std::string& file, const Error& error) {
  std::error_code ignored;
  const bool relative = std::filesystem::path(file).is_relative();
  switch (error.code) {
    case ENOENT:
    case ENOTDIR:
      if (std::filesystem::exists(file, ignored)) {
        return fmt::format("{} is a file, not a folder; name it as a \"certificate\"", file);
      }
      return fmt::format("there is no {}{}", file,
                         relative ? fmt::format(" in {}, where Doorward was started",
                                                std::filesystem::current_path(ignored).string())
                                  : std::string());
    case EACCES:
      return fmt::format("user {} may not read {}; change its owner or permissions", geteuid(),
                         file);
    case EISDIR:
      return fmt::format("{} is a folder; name a file in it", file);
    case EINVAL:
      return fmt::format("{} is no ordinary file", file);
    case EFBIG:
      return fmt::format("{} is larger than 8 MiB", file);
    default:
      return error.cause;
  }
}

bool is_about(const Error& error, const std::string& file) {
  return error.cause.starts_with(file + ": ");
}

bool speaks_tls(const upstream::ServiceConfig& config) {
  return std::ranges::any_of(config.endpoints, &upstream::EndpointConfig::tls);
}

// A connection with a PROXY protocol header carries one client's requests, one after the other.
std::vector<std::string> protocols_of(const upstream::ServiceConfig& config) {
  if (config.protocol == upstream::Protocol::http2) return {"h2"};
  if (config.protocol == upstream::Protocol::http1 ||
      config.proxy_protocol != upstream::SendProxyProtocol::off) {
    return {"http/1.1"};
  }
  return {"h2", "http/1.1"};
}

// "[::1]" is how addresses stand in a configuration.
std::string without_brackets(const std::string& host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

// What was fetched for a certificate lives on with it.
TlsCompiler::TlsCompiler(const CompileTools& tools, schema::Diagnostics& diagnostics)
    : tools_(tools), diagnostics_(diagnostics) {
  if (tools.before == nullptr) return;
  for (const exchange::ListenerEntry& entry : tools.before->listeners) {
    if (entry.tls.empty()) continue;
    for (const auto& served : entry.tls.front()->settings().certificates->all()) {
      if (served.fetched != nullptr) {
        slots_.emplace(served.certificate->facts().fingerprint, served.fetched);
      }
    }
  }
}

void TlsCompiler::say(Severity severity, std::string path, std::string message) {
  text::Place place = place_of(tools_.written, path);
  diagnostics_.add({severity, std::move(place), std::move(path), std::move(message), {}});
}

void TlsCompiler::error(std::string path, std::string message) {
  say(Severity::error, std::move(path), std::move(message));
}

void TlsCompiler::warn(std::string path, std::string message) {
  say(Severity::warning, std::move(path), std::move(message));
}

std::optional<tls::PemFile> TlsCompiler::read(const std::string& file, const std::string& path) {
  Result<tls::PemFile> text = tls::read_pem_file(file);
  if (text) return *text;
  error(path, refusal(file, text.error()));
  return std::nullopt;
}

// `path` is that of the section with `certificate` and `key`.
tls::CertificatePtr TlsCompiler::load_certificate(const std::string& chain, const std::string& key,
                                                  const std::string& path, tls::ShownBy shown_by) {
  const std::optional<tls::PemFile> chain_file = read(chain, path + ".certificate");
  const bool together = key.empty() || key == chain;
  const std::optional<tls::PemFile> key_file = together ? chain_file : read(key, path + ".key");
  if (!chain_file || !key_file) return nullptr;
  if (key.empty() && !tls::has_key(chain_file->text)) {
    error(path + ".certificate",
          fmt::format("{} has no private key; name the key's file in \"key\"", chain));
    return nullptr;
  }
  Result<tls::CertificatePtr> parsed = tls::Certificate::parse(*chain_file, *key_file);
  if (parsed) {
    judge(**parsed, path + ".certificate", shown_by);
    return *std::move(parsed);
  }
  const bool at_key = !together && is_about(parsed.error(), key);
  error(path + (at_key ? ".key" : ".certificate"), std::move(parsed.error().cause));
  return nullptr;
}

void TlsCompiler::judge(const tls::Certificate& certificate, const std::string& path,
                        tls::ShownBy shown_by) {
  for (tls::CertificateFinding& found : tls::check_certificate(
           certificate, std::chrono::system_clock::now(), tls::kExpiresSoon, shown_by)) {
    warn(path, std::move(found.text));
  }
}

// `path` is that of the section with `ca` and `crl`.
void TlsCompiler::judge(const tls::Trust& trust, const std::string& path) {
  for (tls::CertificateFinding& found : tls::check_trust(trust, std::chrono::system_clock::now())) {
    warn(path + (found.of_lists ? ".crl" : ".ca"), std::move(found.text));
  }
}

// A listener without a staple serves all the same, so only a file that cannot be read is an error.
tls::OcspStaplePtr TlsCompiler::load_staple(const CertificateConfig& config,
                                            const tls::Certificate& certificate,
                                            const std::string& path) {
  if (config.ocsp.empty()) return nullptr;
  const std::optional<tls::PemFile> file = read(config.ocsp, path + ".ocsp");
  if (!file) return nullptr;
  Result<tls::OcspStaplePtr> staple = tls::OcspStaple::parse(config.ocsp, file->text, certificate,
                                                             std::chrono::system_clock::now());
  if (staple) return *std::move(staple);
  warn(path + ".ocsp", staple.error().cause + "; it is not sent along");
  return nullptr;
}

// Null, with a warning, where nobody can be asked.
std::shared_ptr<tls::OcspSlot> TlsCompiler::slot_of(const tls::Certificate& certificate,
                                                    const std::string& path) {
  if (const auto question = tls::ocsp_question(certificate); !question) {
    warn(path, question.error().cause + "; no OCSP response is sent along");
    return nullptr;
  }
  auto& slot = slots_[certificate.facts().fingerprint];
  if (slot == nullptr) slot = std::make_shared<tls::OcspSlot>();
  return slot;
}

void TlsCompiler::add_folder(const std::string& folder, const std::string& path,
                             std::vector<tls::ServedCertificate>& served) {
  Result<tls::CertificateFolder> loaded = tls::load_certificate_folder(folder);
  if (!loaded) return error(path, refusal(folder, loaded.error()));
  for (Error& broken : loaded->errors) error(path, std::move(broken.cause));
  for (const std::string& file : loaded->without_key) {
    warn(path, fmt::format("{} is passed over: it has no private key inside or beside it", file));
  }
  if (loaded->certificates.empty() && loaded->errors.empty()) {
    error(path, fmt::format("{} has no certificate: NAME.pem or NAME.crt beside NAME.key, or "
                            "NAME.pem with the key inside",
                            folder));
  }
  for (tls::CertificatePtr& certificate : loaded->certificates) {
    judge(*certificate, path, tls::ShownBy::listener);
    served.push_back({std::move(certificate), nullptr, nullptr});
  }
}

std::shared_ptr<const tls::CertificateSet> TlsCompiler::certificates_of(const TlsConfig& config,
                                                                        const std::string& path) {
  std::vector<tls::ServedCertificate> served;
  for (std::size_t i = 0; i < config.certificates.size(); ++i) {
    const CertificateConfig& one = config.certificates[i];
    const std::string at = fmt::format("{}.certificates[{}]", path, i);
    const std::size_t before = served.size();
    if (!one.folder.empty()) {
      add_folder(one.folder, at + ".folder", served);
    } else if (auto certificate =
                   load_certificate(one.certificate, one.key, at, tls::ShownBy::listener)) {
      tls::OcspStaplePtr staple = load_staple(one, *certificate, at);
      served.push_back({std::move(certificate), std::move(staple), nullptr});
    }
    for (std::size_t j = before; j < served.size(); ++j) {
      if (!config.ocsp_stapling || !one.ocsp.empty()) continue;
      served[j].fetched = slot_of(*served[j].certificate, at);
    }
  }
  warn_of_collisions(served, path + ".certificates");
  return std::make_shared<const tls::CertificateSet>(std::move(served), config.strict_sni);
}

// Of one name and kind of key only the last is ever sent. Told once for a pair of certificates.
void TlsCompiler::warn_of_collisions(const std::vector<tls::ServedCertificate>& served,
                                     const std::string& path) {
  std::map<std::pair<std::string_view, tls::KeyKind>, const tls::Certificate*> last;
  std::set<std::pair<const tls::Certificate*, const tls::Certificate*>> told;
  for (const tls::ServedCertificate& one : served) {
    const tls::CertificateFacts& facts = one.certificate->facts();
    for (const std::string& name : facts.names) {
      const tls::Certificate*& before = last[{name, facts.key}];
      const tls::Certificate* hidden = std::exchange(before, one.certificate.get());
      if (hidden == nullptr || hidden->facts().fingerprint == facts.fingerprint) continue;
      if (!told.emplace(hidden, before).second) continue;
      warn(path,
           fmt::format("{} is not sent to who asks for {}: {} is for it too, has the same kind "
                       "of key ({}) and comes later",
                       hidden->file(), name, before->file(), tls::to_string(facts.key)));
    }
  }
}

// `path` is that of the section with `ca` and `crl`.
tls::TrustPtr TlsCompiler::load_trust(const std::string& ca, const std::string& crl,
                                      const std::string& path) {
  const std::optional<tls::PemFile> bundle = read(ca, path + ".ca");
  std::optional<tls::PemFile> list;
  if (!crl.empty()) list = read(crl, path + ".crl");
  if (!bundle || (!crl.empty() && !list)) return nullptr;
  Result<tls::TrustPtr> trust = tls::Trust::parse(*bundle, list);
  if (trust) {
    judge(**trust, path);
    return *std::move(trust);
  }
  const bool at_list = list && is_about(trust.error(), crl);
  error(path + (at_list ? ".crl" : ".ca"), std::move(trust.error().cause));
  return nullptr;
}

// The keys live on, so that clients of the listener before can resume.
std::shared_ptr<tls::TicketKeyring> TlsCompiler::tickets_of(const std::string& key,
                                                            const std::string& path) {
  if (tools_.before != nullptr) {
    for (const exchange::ListenerEntry& entry : tools_.before->listeners) {
      if (entry.tickets != nullptr && entry.config->key() == key) return entry.tickets;
    }
  }
  Result<tls::TicketKeysPtr> keys = tls::TicketKeys::make();
  if (keys) return std::make_shared<tls::TicketKeyring>(*std::move(keys));
  error(path, std::move(keys.error().cause));
  return nullptr;
}

std::shared_ptr<const tls::ServerSettings> TlsCompiler::settings_of(
    const exchange::ListenerConfig& config, const std::string& path,
    exchange::ListenerEntry& entry) {
  const TlsConfig& written = *config.tls;
  auto settings = std::make_shared<tls::ServerSettings>();
  settings->name = config.key();
  settings->certificates = certificates_of(written, path);
  settings->profile = written.profile;
  if (config.http2.enabled) settings->alpn.push_back("h2");
  settings->alpn.push_back("http/1.1");
  if (written.session_tickets) {
    entry.tickets = tickets_of(config.key(), path + ".session_tickets");
    settings->tickets = entry.tickets;
  }
  const auto& clients = written.client_certificates;
  if (clients && clients->mode != tls::ClientCertificates::none) {
    settings->client_certificates = clients->mode;
    settings->client_trust = load_trust(clients->ca, clients->crl, path + ".client_certificates");
    settings->verify_depth = static_cast<int>(clients->depth);
  }
  return settings;
}

void TlsCompiler::add_listener(std::size_t index, exchange::ListenerEntry& entry) {
  if (!entry.config->tls) return;
  const std::string path = fmt::format("listeners[{}].tls", index);
  const std::size_t before = diagnostics_.error_count();
  const auto settings = settings_of(*entry.config, path, entry);
  note_names(*entry.config, *settings->certificates);
  for (unsigned i = 0; i < tools_.cores && diagnostics_.error_count() == before; ++i) {
    auto context = tls::ServerContext::make(settings);
    if (!context) return error(path + ".certificates", std::move(context.error().cause));
    entry.tls.push_back(*std::move(context));
  }
}

void TlsCompiler::note_names(const exchange::ListenerConfig& config,
                             const tls::CertificateSet& certificates) {
  const auto address = loop::Address::parse(config.address);
  ListenerNames noted{
      config.name, address ? address->port() : std::uint16_t{0}, config.tls->strict_sni, {}};
  for (const tls::ServedCertificate& one : certificates.all()) {
    const tls::CertificateFacts& facts = one.certificate->facts();
    noted.names.insert(noted.names.end(), facts.names.begin(), facts.names.end());
    noted.names.insert(noted.names.end(), facts.addresses.begin(), facts.addresses.end());
  }
  names_.push_back(std::move(noted));
}

std::shared_ptr<const tls::ClientSettings> TlsCompiler::settings_of(
    const upstream::ServiceConfig& config, const std::string& path) {
  const upstream::ServiceTls& written = config.tls;
  auto settings = std::make_shared<tls::ClientSettings>();
  settings->verify = written.verify;
  settings->pinned_name = without_brackets(written.name);
  settings->sni = without_brackets(written.sni);
  settings->profile = written.profile;
  settings->alpn = protocols_of(config);
  if (!written.ca.empty()) {
    settings->trust = load_trust(written.ca, {}, path);
  } else if (written.verify) {
    Result<tls::TrustPtr> trust = tls::Trust::system();
    if (!trust) error(path + ".ca", std::move(trust.error().cause));
    if (trust) settings->trust = *std::move(trust);
  }
  if (!written.certificate.empty()) {
    settings->certificate =
        load_certificate(written.certificate, written.key, path, tls::ShownBy::client);
  }
  return settings;
}

// An equal service is the same live one, with sessions that belong to its contexts.
bool TlsCompiler::take_before(exchange::ServiceEntry& entry) const {
  if (tools_.before == nullptr) return false;
  for (const exchange::ServiceEntry& old : tools_.before->services) {
    if (old.tls.size() != tools_.cores || *old.config != *entry.config) continue;
    entry.tls = old.tls;
    return true;
  }
  return false;
}

void TlsCompiler::add_service(const upstream::ServiceConfig& config,
                              exchange::ServiceEntry& entry) {
  auto own = std::make_shared<upstream::ServiceConfig>(config);
  if (speaks_tls(config)) own->tls.content = hash_files(named_files(config.tls));
  entry.config = own;
  if (!speaks_tls(config) || take_before(entry)) return;
  std::string path = "services";
  schema::append_key(path, config.name);
  path += ".tls";
  const std::size_t before = diagnostics_.error_count();
  const auto settings = settings_of(config, path);
  for (unsigned i = 0; i < tools_.cores && diagnostics_.error_count() == before; ++i) {
    auto context = tls::ClientContext::make(settings);
    if (!context) return error(path, std::move(context.error().cause));
    entry.tls.push_back(*std::move(context));
  }
}

void TlsCompiler::warn_of_hosts(const Model& model) {
  for (const UncoveredHost& found : uncovered_hosts(model, names_)) {
    warn(fmt::format("routes[{}].match.host[{}]", found.route, found.index), found.text);
  }
}

}  // namespace doorward::config
