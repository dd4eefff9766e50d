package hocba.bench;

import com.sun.management.OperatingSystemMXBean;
import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;

/**
 * {@code SignPdf FOLDER WARM ROUNDS ROOM FIELD...}: signs FOLDER/document.pdf in each field, one after the other, in memory, WARM times to
 * warm up and ROUNDS times by the clock. FIELD.key (PKCS#8) and FIELD.cer are that field's signer, issuer.cer stands above all of them.
 * The key's own time is left out; processor time of the process, collector and all, as on the other sides. Writes FOLDER/dss.pdf.
 */
public final class SignPdf {
    private static final OperatingSystemMXBean CLOCK = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private record Signer(String field, PrivateKey key, CertificateToken certificate) {
    }

    private SignPdf() {
    }

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int warm = Integer.parseInt(arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        int room = Integer.parseInt(arguments[3]);
        CertificateToken issuer = DSSUtils.loadCertificate(folder.resolve("issuer.cer").toFile());
        List<Signer> signers = new ArrayList<>();
        for (String field : List.of(arguments).subList(4, arguments.length)) {
            byte[] key = Files.readAllBytes(folder.resolve(field + ".key"));
            signers.add(new Signer(
                    field,
                    KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(key)),
                    DSSUtils.loadCertificate(folder.resolve(field + ".cer").toFile())));
        }
        byte[] document = Files.readAllBytes(folder.resolve("document.pdf"));
        PAdESService service = new PAdESService(new CommonCertificateVerifier());
        long spent = 0;
        byte[] signed = document;
        for (int round = -warm; round < rounds; round++) {
            signed = document;
            for (int number = 0; number < signers.size(); number++) {
                long began = CLOCK.getProcessCpuTime();
                PAdESSignatureParameters parameters = parameters(signers.get(number), issuer, room, number == 0);
                DSSDocument base = new InMemoryDocument(signed);
                ToBeSigned data = service.getDataToSign(base, parameters);
                long asked = CLOCK.getProcessCpuTime();
                SignatureValue value = value(signers.get(number), data);
                long answered = CLOCK.getProcessCpuTime();
                ByteArrayOutputStream out = new ByteArrayOutputStream(signed.length + 64 * 1024);
                service.signDocument(base, parameters, value).writeTo(out);
                signed = out.toByteArray();
                if (round >= 0) {
                    spent += CLOCK.getProcessCpuTime() - answered + asked - began;
                }
            }
        }
        Files.write(folder.resolve("dss.pdf"), signed);
        System.out.println(spent / 1e9);
    }

    private static PAdESSignatureParameters parameters(Signer signer, CertificateToken issuer, int room, boolean first) {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(signer.certificate());
        parameters.setCertificateChain(signer.certificate(), issuer);
        parameters.bLevel().setSigningDate(new Date());
        parameters.getImageParameters().getFieldParameters().setFieldId(signer.field());
        parameters.setSignerName("Nguyễn Thị Hoàng Anh");
        parameters.setReason("Giáo viên chủ nhiệm");
        parameters.setContentSize(room);
        if (first) {
            parameters.setPermission(CertificationPermission.MINIMAL_CHANGES_PERMITTED);
        }
        return parameters;
    }

    private static SignatureValue value(Signer signer, ToBeSigned data) throws Exception {
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(signer.key());
        signature.update(data.getBytes());
        return new SignatureValue(SignatureAlgorithm.RSA_SHA256, signature.sign());
    }
}
