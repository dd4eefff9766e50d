package hocba.interop;

import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.pdf.IPdfObjFactory;
import eu.europa.esig.dss.pdf.ServiceLoaderPdfObjFactory;
import eu.europa.esig.dss.pdf.modifications.DefaultPdfDifferencesFinder;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.simplereport.jaxb.XmlTimestamp;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.policy.ValidationPolicyLoader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** EU DSS: {@code Validate [--strict] [--at TIME] --roots DIR --crls DIR [FILE...]}, files also on standard input, one line of JSON a file. */
public final class Validate {
    /** What DSS finds out about later revisions of a PDF and by its default policy merely warns of. */
    private static final String LATER_CHANGES =
            "<(ByteRangeCollision|PdfAnnotationOverlap|PdfVisualDifference|DocMDP|FieldMDP|SigFieldLock|UndefinedChanges) Level=\"WARN\"";

    private final ThreadLocal<CertificateVerifier> verifiers;
    private final ValidationPolicy policy;
    private final Date at;

    private Validate(Trust trust, ValidationPolicy policy, Date at) {
        verifiers = ThreadLocal.withInitial(trust::verifier);
        this.policy = policy;
        this.at = at;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Path> folders = new LinkedHashMap<>();
        List<String> files = new ArrayList<>();
        Date at = new Date();
        ValidationPolicy policy = ValidationPolicyLoader.fromDefaultValidationPolicy().create();
        for (int i = 0; i < arguments.length; i++) {
            boolean names = arguments[i].equals("--roots") || arguments[i].equals("--crls");
            if (names && i + 1 < arguments.length) {
                folders.put(arguments[i], Path.of(arguments[++i]));
            } else if (arguments[i].equals("--strict")) {
                policy = strict();
            } else if (arguments[i].equals("--at") && i + 1 < arguments.length) {
                at = Date.from(Instant.parse(arguments[++i]));
            } else {
                files.add(arguments[i]);
            }
        }
        if (folders.size() != 2) {
            System.err.println("usage: Validate [--strict] [--at TIME] --roots DIR --crls DIR [FILE...]");
            System.exit(2);
        }
        Validate validate = new Validate(new Trust(folders.get("--roots"), folders.get("--crls")), policy, at);
        Batch.judge(files, validate::judge);
    }

    /** The default policy, failing where that one warns of later changes. */
    private static ValidationPolicy strict() throws IOException {
        try (InputStream in = Validate.class.getResourceAsStream("/policy/constraint.xml")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8).replaceAll(LATER_CHANGES, "<$1 Level=\"FAIL\"");
            return ValidationPolicyLoader.fromValidationPolicy(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8))).create();
        }
    }

    private Map<String, Object> judge(File file) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file.getPath());
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
            boolean isPdf = validator instanceof PDFDocumentValidator;
            if (isPdf) {
                ((PDFDocumentValidator) validator).setPdfObjFactory(withoutDrawing());
            }
            validator.setCertificateVerifier(verifiers.get());
            validator.setValidationTime(at);
            validator.setEnableEtsiValidationReport(false);
            SimpleReport report = validator.validateDocument(policy).getSimpleReport();
            List<Map<String, Object>> signatures = new ArrayList<>();
            for (String id : report.getSignatureIdList()) {
                signatures.add(signature(report, id));
            }
            answer.put("format", isPdf ? "pdf" : "xml");
            answer.put("signatures", signatures);
        } catch (RuntimeException unreadable) {
            // a malformed document makes DSS and PDFBox throw unchecked exceptions of every kind; the others must still be judged
            answer.put("error", unreadable.toString());
        }
        return answer;
    }

    static Map<String, Object> signature(SimpleReport report, String id) {
        Map<String, Object> signature = new LinkedHashMap<>();
        signature.put("id", id);
        signature.put("signedBy", report.getSignedBy(id));
        signature.put("format", String.valueOf(report.getSignatureFormat(id)).replace('_', '-'));
        signature.put("indication", String.valueOf(report.getIndication(id)));
        signature.put("subIndication", report.getSubIndication(id) == null ? null : report.getSubIndication(id).name());
        signature.put("errors", texts(report.getAdESValidationErrors(id)));
        signature.put("warnings", texts(report.getAdESValidationWarnings(id)));
        signature.put("timestamps", report.getSignatureTimestamps(id).stream().map(Validate::timestamp).toList());
        return signature;
    }

    static Map<String, Object> timestamp(XmlTimestamp one) {
        Map<String, Object> timestamp = new LinkedHashMap<>();
        timestamp.put("producedBy", one.getProducedBy());
        timestamp.put("indication", String.valueOf(one.getIndication()));
        timestamp.put("subIndication", one.getSubIndication() == null ? null : one.getSubIndication().name());
        return timestamp;
    }

    static List<String> texts(List<Message> messages) {
        return messages.stream().map(Message::getValue).toList();
    }

    /** Drawing every page of every revision takes seconds; comparing the objects, which DocMDP is judged by, takes little and stays. */
    static IPdfObjFactory withoutDrawing() {
        DefaultPdfDifferencesFinder pictures = new DefaultPdfDifferencesFinder();
        pictures.setMaximalPagesAmountForVisualComparison(0);
        IPdfObjFactory factory = new ServiceLoaderPdfObjFactory();
        factory.setPdfDifferencesFinder(pictures);
        return factory;
    }
}
