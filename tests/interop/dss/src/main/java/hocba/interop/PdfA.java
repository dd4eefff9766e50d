package hocba.interop;

import java.io.File;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.verapdf.core.EncryptedPdfException;
import org.verapdf.core.ModelParsingException;
import org.verapdf.core.ValidationException;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** veraPDF: {@code PdfA [FILE...]}, files also on standard input, one line of JSON a file; always against PDF/A-3b. */
public final class PdfA {
    private static final PDFAFlavour FLAVOUR = PDFAFlavour.PDFA_3_B;

    private PdfA() {
    }

    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        Batch.judge(List.of(arguments), PdfA::judge);
    }

    private static Map<String, Object> judge(File file) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file.getPath());
        answer.put("flavour", FLAVOUR.getId());
        try (PDFAParser parser = Foundries.defaultInstance().createParser(file, FLAVOUR)) {
            ValidationResult result = Foundries.defaultInstance().createValidator(FLAVOUR, false).validate(parser);
            answer.put("compliant", result.isCompliant());
            answer.put("failures", result.getTestAssertions().stream().map(PdfA::text).distinct().toList());
        } catch (ModelParsingException | EncryptedPdfException | ValidationException | IOException unreadable) {
            answer.put("compliant", false);
            answer.put("failures", List.of(unreadable.toString()));
        }
        return answer;
    }

    private static String text(TestAssertion failed) {
        return failed.getRuleId().getClause() + "-" + failed.getRuleId().getTestNumber() + " " + failed.getMessage();
    }
}
