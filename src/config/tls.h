// What a configuration says of TLS, made: the files are read and parsed once, and a context for
// each core is made of them. Owner: a compilation, on the control thread.
//
// Subtle: what makes a file unusable is an error, so that a reload keeps what is running. What
// clients will complain of (an expired certificate) is a warning: an old certificate that becomes
// older is no reason to refuse a configuration.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/compile.h"
#include "config/tls_hosts.h"
#include "tls/certificate_checks.h"

namespace doorward::config {

class TlsCompiler {
 public:
  TlsCompiler(const CompileTools& tools, schema::Diagnostics& diagnostics);

  // Fills the entry of listeners[index]; by halves only where it added an error.
  void add_listener(std::size_t index, exchange::ListenerEntry& entry);
  // Gives the entry its configuration, and the contexts of a service with https:// endpoints.
  void add_service(const upstream::ServiceConfig& config, exchange::ServiceEntry& entry);
  // When all listeners are there: hosts that routes name and no certificate does.
  void warn_of_hosts(const Model& model);

 private:
  void say(schema::Severity severity, std::string path, std::string message);
  void error(std::string path, std::string message);
  void warn(std::string path, std::string message);

  std::optional<tls::PemFile> read(const std::string& file, const std::string& path);
  tls::CertificatePtr load_certificate(const std::string& chain, const std::string& key,
                                       const std::string& path, tls::ShownBy shown_by);
  tls::OcspStaplePtr load_staple(const exchange::CertificateConfig& config,
                                 const tls::Certificate& certificate, const std::string& path);
  std::shared_ptr<tls::OcspSlot> slot_of(const tls::Certificate& certificate,
                                         const std::string& path);
  void judge(const tls::Certificate& certificate, const std::string& path, tls::ShownBy shown_by);
  void judge(const tls::Trust& trust, const std::string& path);
  void warn_of_collisions(const std::vector<tls::ServedCertificate>& served,
                          const std::string& path);
  std::shared_ptr<const tls::CertificateSet> certificates_of(const exchange::TlsConfig& config,
                                                             const std::string& path);
  void add_folder(const std::string& folder, const std::string& path,
                  std::vector<tls::ServedCertificate>& served);
  tls::TrustPtr load_trust(const std::string& ca, const std::string& crl, const std::string& path);
  std::shared_ptr<tls::TicketKeyring> tickets_of(const std::string& key, const std::string& path);
  std::shared_ptr<const tls::ServerSettings> settings_of(const exchange::ListenerConfig& config,
                                                         const std::string& path,
                                                         exchange::ListenerEntry& entry);
  std::shared_ptr<const tls::ClientSettings> settings_of(const upstream::ServiceConfig& config,
                                                         const std::string& path);
  void note_names(const exchange::ListenerConfig& config, const tls::CertificateSet& certificates);
  bool take_before(exchange::ServiceEntry& entry) const;

  const CompileTools& tools_;
  schema::Diagnostics& diagnostics_;
  std::vector<ListenerNames> names_;
  std::map<std::string, std::shared_ptr<tls::OcspSlot>> slots_;  // by the certificate's fingerprint
};

}  // namespace doorward::config
