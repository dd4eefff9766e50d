package hocba.interop;

import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CRL;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the validator may believe: certificates and revocation lists from files, never from the network.
 * A self-issued certificate below the roots folder is an anchor; any other only helps to build a chain.
 */
final class Trust {
    private final List<CertificateToken> certificates = new ArrayList<>();
    private final List<byte[]> lists = new ArrayList<>();

    Trust(Path roots, Path crls) throws IOException, GeneralSecurityException {
        CertificateFactory x509 = CertificateFactory.getInstance("X.509");
        for (Path file : below(roots, ".pem")) {
            try (InputStream in = Files.newInputStream(file)) {
                for (Certificate certificate : x509.generateCertificates(in)) {
                    certificates.add(new CertificateToken((X509Certificate) certificate));
                }
            }
        }
        if (certificates.stream().noneMatch(CertificateToken::isSelfIssued)) {
            throw new IOException("no root certificate in any *.pem file below " + roots);
        }
        for (Path file : below(crls, ".crl")) {
            try (InputStream in = Files.newInputStream(file)) {
                for (CRL list : x509.generateCRLs(in)) {
                    lists.add(((X509CRL) list).getEncoded());
                }
            }
        }
    }

    /** A verifier for one thread: the sources below it keep what they have parsed and are not shared. */
    CertificateVerifier verifier() {
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        CommonCertificateSource others = new CommonCertificateSource();
        for (CertificateToken certificate : certificates) {
            (certificate.isSelfIssued() ? anchors : others).addCertificate(certificate);
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(anchors);
        verifier.setAdjunctCertSources(others);
        verifier.setCrlSource(new ExternalResourcesCRLSource(
                lists.stream().map(ByteArrayInputStream::new).toArray(InputStream[]::new)));
        verifier.setOcspSource(null);
        verifier.setAIASource(null);
        return verifier;
    }

    private static List<Path> below(Path directory, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).filter(file -> file.toString().endsWith(ending)).sorted().toList();
        }
    }
}
