package hocba.interop;

import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.policy.ValidationPolicyLoader;
import java.io.File;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * EU DSS on RFC 4998 evidence records: {@code Evidence [--at TIME] --roots DIR --crls DIR [FILE.ers...]}, one line of JSON a record.
 * The documents are those of the same name beside it that end in .pdf and .xml. The record is judged by itself over all of them, and
 * each document is judged with the record as its only further proof.
 */
public final class Evidence {
    private final ThreadLocal<CertificateVerifier> verifiers;
    private final ValidationPolicy policy;
    private final Date at;

    private Evidence(Trust trust, ValidationPolicy policy, Date at) {
        verifiers = ThreadLocal.withInitial(trust::verifier);
        this.policy = policy;
        this.at = at;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Path> folders = new LinkedHashMap<>();
        List<String> files = new ArrayList<>();
        Date at = new Date();
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--roots") || arguments[i].equals("--crls")) {
                folders.put(arguments[i], Path.of(arguments[++i]));
            } else if (arguments[i].equals("--at")) {
                at = Date.from(Instant.parse(arguments[++i]));
            } else {
                files.add(arguments[i]);
            }
        }
        ValidationPolicy policy = ValidationPolicyLoader.fromDefaultValidationPolicy().create();
        Evidence evidence = new Evidence(new Trust(folders.get("--roots"), folders.get("--crls")), policy, at);
        Batch.judge(files, evidence::judge);
    }

    private Map<String, Object> judge(File file) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file.getPath());
        String stem = file.getPath().substring(0, file.getPath().lastIndexOf('.'));
        List<DSSDocument> documents = new ArrayList<>();
        for (String ending : List.of(".pdf", ".xml")) {
            if (new File(stem + ending).isFile()) {
                documents.add(new FileDocument(stem + ending));
            }
        }
        try {
            SignedDocumentValidator alone = validator(new FileDocument(file));
            alone.setDetachedContents(documents);
            SimpleReport report = alone.validateDocument(policy).getSimpleReport();
            String id = report.getFirstEvidenceRecordId();
            answer.put("indication", String.valueOf(report.getIndication(id)));
            answer.put("subIndication", report.getSubIndication(id) == null ? null : report.getSubIndication(id).name());
            answer.put("errors", Validate.texts(report.getAdESValidationErrors(id)));
            answer.put("warnings", Validate.texts(report.getAdESValidationWarnings(id)));
            answer.put("since", String.valueOf(report.getEvidenceRecordPOE(id) == null ? null : report.getEvidenceRecordPOE(id).toInstant()));
            answer.put("timestamps", report.getEvidenceRecordTimestamps(id).stream().map(Validate::timestamp).toList());
            Map<String, Object> signatures = new LinkedHashMap<>();
            for (DSSDocument document : documents) {
                signatures.put(document.getName().substring(document.getName().lastIndexOf('.') + 1), signatures(document, file));
            }
            answer.put("documents", signatures);
        } catch (RuntimeException unreadable) {
            // a malformed record makes DSS throw unchecked exceptions of every kind; the others must still be judged
            answer.put("error", unreadable.toString());
        }
        return answer;
    }

    private List<Map<String, Object>> signatures(DSSDocument document, File evidence) {
        SignedDocumentValidator validator = validator(document);
        if (validator instanceof PDFDocumentValidator pdf) {
            pdf.setPdfObjFactory(Validate.withoutDrawing());
        }
        validator.setDetachedEvidenceRecordDocuments(List.of(new FileDocument(evidence)));
        SimpleReport report = validator.validateDocument(policy).getSimpleReport();
        List<Map<String, Object>> found = new ArrayList<>();
        for (String id : report.getSignatureIdList()) {
            found.add(Validate.signature(report, id));
        }
        return found;
    }

    private SignedDocumentValidator validator(DSSDocument document) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(document);
        validator.setCertificateVerifier(verifiers.get());
        validator.setValidationTime(at);
        validator.setEnableEtsiValidationReport(false);
        return validator;
    }
}
