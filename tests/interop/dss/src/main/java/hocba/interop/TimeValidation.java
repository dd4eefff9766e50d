package hocba.interop;

import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.pdf.IPdfObjFactory;
import eu.europa.esig.dss.pdf.ServiceLoaderPdfObjFactory;
import eu.europa.esig.dss.pdf.modifications.DefaultPdfDifferencesFinder;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.policy.ValidationPolicyLoader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * EU DSS judges the same files again and again, in one thread and without comparing pictures of pages:
 * {@code TimeValidation ROOTS CRLS WARM ROUNDS FILE...}. After WARM rounds that do not count, prints the nanoseconds of processor time
 * of ROUNDS rounds over all files as JSON. Ends with status 3 when a signature does not pass.
 */
public final class TimeValidation {
    private TimeValidation() {
    }

    public static void main(String[] arguments) throws Exception {
        CertificateVerifier verifier = new Trust(Path.of(arguments[0]), Path.of(arguments[1])).verifier();
        int warm = Integer.parseInt(arguments[2]);
        int rounds = Integer.parseInt(arguments[3]);
        List<byte[]> files = new ArrayList<>();
        for (int place = 4; place < arguments.length; place++) {
            files.add(Files.readAllBytes(Path.of(arguments[place])));
        }
        ValidationPolicy policy = ValidationPolicyLoader.fromDefaultValidationPolicy().create();
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        long spent = 0;
        for (int round = 0; round < warm + rounds; round++) {
            for (byte[] file : files) {
                long began = clock.getCurrentThreadCpuTime();
                SimpleReport report = judge(file, verifier, policy);
                if (round >= warm) {
                    spent += clock.getCurrentThreadCpuTime() - began;
                }
                refuseFailure(report);
            }
        }
        System.out.println("{\"rounds\": " + rounds + ", \"nanoseconds\": " + spent + "}");
    }

    private static SimpleReport judge(byte[] file, CertificateVerifier verifier, ValidationPolicy policy) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new InMemoryDocument(file));
        if (validator instanceof PDFDocumentValidator pdf) {
            DefaultPdfDifferencesFinder pictures = new DefaultPdfDifferencesFinder();
            pictures.setMaximalPagesAmountForVisualComparison(0);
            IPdfObjFactory factory = new ServiceLoaderPdfObjFactory();
            factory.setPdfDifferencesFinder(pictures);
            pdf.setPdfObjFactory(factory);
        }
        validator.setCertificateVerifier(verifier);
        validator.setEnableEtsiValidationReport(false);
        return validator.validateDocument(policy).getSimpleReport();
    }

    private static void refuseFailure(SimpleReport report) {
        for (String id : report.getSignatureIdList()) {
            if (report.getIndication(id) != Indication.TOTAL_PASSED) {
                System.err.println(id + ": " + report.getIndication(id) + " " + report.getSubIndication(id));
                System.exit(3);
            }
        }
    }
}
