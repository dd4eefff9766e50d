package hocba.interop;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.reference.CanonicalizationTransform;
import eu.europa.esig.dss.xades.reference.DSSReference;
import eu.europa.esig.dss.xades.reference.DSSTransform;
import eu.europa.esig.dss.xades.reference.EnvelopedSignatureTransform;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import javax.xml.crypto.dsig.CanonicalizationMethod;

/**
 * EU DSS puts signatures on one XML document, one after the other: {@code SignXml DIR WARM ROUNDS}.
 * DIR holds document.xml, for each signer N from 0 on N.key (PKCS#8) and N.crt, and ca.crt (DER). After WARM rounds that do not count,
 * ROUNDS rounds are timed: processor time of this thread alone, without the private key's work. Prints signatures and nanoseconds
 * as JSON, and writes the last document to signed.xml. Each signature covers the content, the last one the whole document.
 */
public final class SignXml {
    private static final String EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE;

    private final XAdESService service = new XAdESService(new CommonCertificateVerifier());
    private final ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    private final List<PrivateKey> keys = new ArrayList<>();
    private final List<CertificateToken> certificates = new ArrayList<>();
    private final CertificateToken issuer;
    private long spent;

    private SignXml(Path directory) throws Exception {
        issuer = certificate(directory.resolve("ca.crt"));
        for (int number = 0; Files.exists(directory.resolve(number + ".key")); number++) {
            byte[] key = Files.readAllBytes(directory.resolve(number + ".key"));
            keys.add(KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(key)));
            certificates.add(certificate(directory.resolve(number + ".crt")));
        }
    }

    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        int warm = Integer.parseInt(arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        byte[] document = Files.readAllBytes(directory.resolve("document.xml"));
        SignXml bench = new SignXml(directory);
        DSSDocument signed = null;
        for (int round = 0; round < warm + rounds; round++) {
            if (round == warm) {
                bench.spent = 0;
            }
            signed = bench.signAll(new InMemoryDocument(document));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        signed.writeTo(out);
        Files.write(directory.resolve("signed.xml"), out.toByteArray());
        System.out.println("{\"signatures\": " + rounds * bench.keys.size() + ", \"nanoseconds\": " + bench.spent + "}");
    }

    private DSSDocument signAll(DSSDocument document) throws Exception {
        for (int number = 0; number < keys.size(); number++) {
            long began = clock.getCurrentThreadCpuTime();
            XAdESSignatureParameters parameters = parameters(document, number, number == keys.size() - 1);
            ToBeSigned data = service.getDataToSign(document, parameters);
            spent += clock.getCurrentThreadCpuTime() - began;
            Signature signer = Signature.getInstance("SHA256withRSA");
            signer.initSign(keys.get(number));
            signer.update(data.getBytes());
            SignatureValue value = new SignatureValue(parameters.getSignatureAlgorithm(), signer.sign());
            began = clock.getCurrentThreadCpuTime();
            if (!service.isValidSignatureValue(data, value, certificates.get(number))) {
                throw new IllegalStateException("a wrong value");
            }
            document = service.signDocument(document, parameters, value);
            spent += clock.getCurrentThreadCpuTime() - began;
        }
        return document;
    }

    private XAdESSignatureParameters parameters(DSSDocument document, int number, boolean whole) {
        XAdESSignatureParameters parameters = new XAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.XAdES_BASELINE_B);
        parameters.setSignaturePackaging(SignaturePackaging.ENVELOPED);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(certificates.get(number));
        parameters.setCertificateChain(certificates.get(number), issuer);
        parameters.setSignedInfoCanonicalizationMethod(EXCLUSIVE);
        parameters.setSignedPropertiesCanonicalizationMethod(EXCLUSIVE);
        parameters.setSignKeyInfo(true);
        parameters.setXPathLocationString("//*[local-name()='ChuKy']");
        parameters.bLevel().setSigningDate(new Date());
        parameters.bLevel().setClaimedSignerRoles(List.of("Giáo viên chủ nhiệm"));
        List<DSSTransform> transforms = new ArrayList<>();
        if (whole) {
            transforms.add(new EnvelopedSignatureTransform());
        }
        transforms.add(new CanonicalizationTransform(EXCLUSIVE));
        DSSReference reference = new DSSReference();
        reference.setId("part-" + number);
        reference.setUri(whole ? "" : "#nd");
        reference.setContents(document);
        reference.setDigestMethodAlgorithm(DigestAlgorithm.SHA256);
        reference.setTransforms(transforms);
        parameters.setReferences(List.of(reference));
        return parameters;
    }

    private static CertificateToken certificate(Path file) throws Exception {
        return DSSUtils.loadCertificate(Files.readAllBytes(file));
    }
}
