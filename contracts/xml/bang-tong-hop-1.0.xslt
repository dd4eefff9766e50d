<?xml version="1.0" encoding="UTF-8"?>
<!-- Shows a class summary (bang-tong-hop-1.0.xsd) as an accessible HTML page. XSLT 1.0, no extension, no script, nothing fetched. It lists the signatures; it does not verify them. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hocba:summary:1" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" exclude-result-prefixes="h ds xades">
  <xsl:output method="html" encoding="UTF-8" indent="yes" doctype-system="about:legacy-compat"/>

  <xsl:template match="/h:BangTongHop">
    <xsl:variable name="body" select="h:NoiDung"/>
    <xsl:variable name="about" select="$body/h:ThongTinBangTongHop"/>
    <html lang="vi">
      <head>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>Bảng tổng hợp kết quả đánh giá giáo dục - Lớp <xsl:value-of select="$body/h:Lop/h:TenLop"/> - Năm học <xsl:value-of select="$about/h:NamHoc"/></title>
        <style>
          body { font-family: Tinos, "Times New Roman", serif; font-size: 1.1rem; line-height: 1.45; color: #111; background: #fff; max-width: 110rem; margin: 0 auto; padding: 1rem; }
          h1, h2 { line-height: 1.2; }
          table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.25rem; }
          caption { text-align: left; font-weight: bold; padding: 0.25rem 0; }
          th, td { border: 1px solid #444; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; }
          thead th { background: #eee; }
          .wide { overflow-x: auto; }
          .wide table { font-size: 0.8rem; }
          dl { display: grid; grid-template-columns: minmax(10rem, 16rem) 1fr; gap: 0.25rem 1rem; }
          dt { font-weight: bold; }
          dd { margin: 0; overflow-wrap: anywhere; }
          .note { border-left: 4px solid #444; padding-left: 0.75rem; }
        </style>
      </head>
      <body>
        <main>
          <h1>Bảng tổng hợp kết quả đánh giá giáo dục</h1>
          <xsl:apply-templates select="$about"/>
          <h2>Kết quả của học sinh</h2>
          <xsl:apply-templates select="$body/h:HocSinh"/>
          <xsl:apply-templates select="$body/h:TongHop"/>
          <xsl:apply-templates select="$body/h:NguoiKy"/>
          <xsl:apply-templates select="h:ChuKy"/>
        </main>
      </body>
    </html>
  </xsl:template>

  <!-- One term and its value; nothing at all when there is no value. -->
  <xsl:template name="item">
    <xsl:param name="label"/>
    <xsl:param name="value"/>
    <xsl:if test="string($value) != ''">
      <dt><xsl:value-of select="$label"/></dt>
      <dd><xsl:value-of select="$value"/></dd>
    </xsl:if>
  </xsl:template>

  <xsl:template name="date">
    <xsl:param name="value"/>
    <xsl:if test="string($value) != ''">
      <xsl:value-of select="concat(substring($value, 9, 2), '/', substring($value, 6, 2), '/', substring($value, 1, 4))"/>
    </xsl:if>
  </xsl:template>

  <xsl:template name="moment">
    <xsl:param name="value"/>
    <xsl:if test="string($value) != ''">
      <xsl:value-of select="concat(substring($value, 9, 2), '/', substring($value, 6, 2), '/', substring($value, 1, 4), ' ', substring($value, 12, 8), ' ', substring($value, 20))"/>
    </xsl:if>
  </xsl:template>

  <!-- Who somebody is, for those who compare a certificate with the person. -->
  <xsl:template name="person">
    <xsl:value-of select="h:HoTen"/>
    <xsl:if test="h:MaCanBo">, mã cán bộ <xsl:value-of select="h:MaCanBo"/></xsl:if>
    <xsl:if test="h:SoDinhDanhCaNhan">, số định danh cá nhân <xsl:value-of select="h:SoDinhDanhCaNhan"/></xsl:if>
  </xsl:template>

  <xsl:template name="yes-no">
    <xsl:param name="value"/>
    <xsl:choose>
      <xsl:when test="$value = 'true' or $value = '1'">Có</xsl:when>
      <xsl:otherwise>Không</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="h:ThongTinBangTongHop">
    <xsl:variable name="made"><xsl:call-template name="moment"><xsl:with-param name="value" select="h:NgayTao"/></xsl:call-template></xsl:variable>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã định danh bảng tổng hợp</xsl:with-param><xsl:with-param name="value" select="h:MaBangTongHop"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Phiên bản</xsl:with-param><xsl:with-param name="value" select="h:PhienBan"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Thay thế bảng tổng hợp</xsl:with-param><xsl:with-param name="value" select="h:ThayThe"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Thời điểm lập</xsl:with-param><xsl:with-param name="value" select="$made"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Trường</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:TenTruong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã trường</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:MaTruong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Loại hình</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:LoaiHinh"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã số thuế</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:MaSoThue"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Xã (Phường, Đặc khu)</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:XaPhuong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Tỉnh (Thành phố)</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:TinhThanhPho"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Đơn vị quản lý</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:DonViQuanLy/h:TenDonVi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã đơn vị quản lý</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:DonViQuanLy/h:MaDonVi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Năm học</xsl:with-param><xsl:with-param name="value" select="h:NamHoc"/></xsl:call-template>
      <dt>Thời điểm đánh giá</dt>
      <dd>
        <xsl:choose>
          <xsl:when test="h:ThoiDiem = 'GK1'">Giữa học kì I</xsl:when>
          <xsl:when test="h:ThoiDiem = 'CK1'">Cuối học kì I</xsl:when>
          <xsl:when test="h:ThoiDiem = 'GK2'">Giữa học kì II</xsl:when>
          <xsl:otherwise>Cuối năm học</xsl:otherwise>
        </xsl:choose>
      </dd>
      <xsl:call-template name="item"><xsl:with-param name="label">Lớp</xsl:with-param><xsl:with-param name="value" select="../h:Lop/h:TenLop"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã lớp</xsl:with-param><xsl:with-param name="value" select="../h:Lop/h:MaLop"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Khối</xsl:with-param><xsl:with-param name="value" select="../h:Lop/h:Khoi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Địa chỉ tra cứu</xsl:with-param><xsl:with-param name="value" select="h:DiaChiXacMinh"/></xsl:call-template>
    </dl>
  </xsl:template>

  <!-- One small table a pupil: with a heading for each value, it reads well on any screen. -->
  <xsl:template match="h:HocSinh">
    <xsl:variable name="born"><xsl:call-template name="date"><xsl:with-param name="value" select="h:NgaySinh"/></xsl:call-template></xsl:variable>
    <h3><xsl:value-of select="h:SoThuTu"/>. <xsl:value-of select="h:HoTen"/></h3>
    <p>Mã học sinh <xsl:value-of select="h:MaHocSinh"/>; ngày sinh <xsl:value-of select="$born"/>; số định danh cá nhân <xsl:value-of select="h:SoDinhDanhCaNhan"/></p>
    <div class="wide">
      <table>
        <caption>Kết quả của <xsl:value-of select="h:HoTen"/></caption>
        <thead>
          <tr>
            <xsl:for-each select="h:MonHoc"><th scope="col"><xsl:value-of select="h:TenMonHoc"/></th></xsl:for-each>
            <xsl:for-each select="h:NangLucChung | h:NangLucDacThu | h:PhamChatChuYeu"><th scope="col"><xsl:value-of select="h:Ten"/></th></xsl:for-each>
          </tr>
        </thead>
        <tbody>
          <tr>
            <xsl:for-each select="h:MonHoc"><td><xsl:value-of select="h:MucDatDuoc"/><xsl:if test="h:DiemKTDK"> (<xsl:value-of select="h:DiemKTDK"/>)</xsl:if></td></xsl:for-each>
            <xsl:for-each select="h:NangLucChung | h:NangLucDacThu | h:PhamChatChuYeu"><td><xsl:value-of select="h:MucDatDuoc"/></td></xsl:for-each>
          </tr>
        </tbody>
      </table>
    </div>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Đánh giá kết quả giáo dục</xsl:with-param><xsl:with-param name="value" select="h:XepLoai"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Khen thưởng</xsl:with-param><xsl:with-param name="value" select="h:KhenThuong"/></xsl:call-template>
      <xsl:if test="h:HoanThanhChuongTrinhLopHoc">
        <dt>Hoàn thành chương trình lớp học</dt>
        <dd><xsl:call-template name="yes-no"><xsl:with-param name="value" select="h:HoanThanhChuongTrinhLopHoc"/></xsl:call-template></dd>
      </xsl:if>
    </dl>
  </xsl:template>

  <xsl:template match="h:TongHop">
    <h2>Tổng hợp của cả lớp</h2>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Số học sinh</xsl:with-param><xsl:with-param name="value" select="h:SoHocSinh"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số học sinh được khen thưởng</xsl:with-param><xsl:with-param name="value" select="h:KhenThuong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số học sinh hoàn thành chương trình lớp học</xsl:with-param><xsl:with-param name="value" select="h:HoanThanhChuongTrinhLopHoc"/></xsl:call-template>
      <xsl:for-each select="h:XepLoai"><dt><xsl:value-of select="h:Ten"/></dt><dd><xsl:value-of select="h:SoHocSinh"/></dd></xsl:for-each>
    </dl>
    <table>
      <caption>Các môn học và hoạt động giáo dục</caption>
      <thead><tr><th scope="col">Môn học và hoạt động giáo dục</th><th scope="col">Hoàn thành tốt (T)</th><th scope="col">Hoàn thành (H)</th><th scope="col">Chưa hoàn thành (C)</th></tr></thead>
      <tbody>
        <xsl:for-each select="h:MonHoc"><tr><th scope="row"><xsl:value-of select="h:Ten"/></th><td><xsl:value-of select="h:HoanThanhTot"/></td><td><xsl:value-of select="h:HoanThanh"/></td><td><xsl:value-of select="h:ChuaHoanThanh"/></td></tr></xsl:for-each>
      </tbody>
    </table>
    <table>
      <caption>Năng lực, phẩm chất</caption>
      <thead><tr><th scope="col">Năng lực, phẩm chất</th><th scope="col">Tốt (T)</th><th scope="col">Đạt (Đ)</th><th scope="col">Cần cố gắng (C)</th></tr></thead>
      <tbody>
        <xsl:for-each select="h:NangLuc | h:PhamChat"><tr><th scope="row"><xsl:value-of select="h:Ten"/></th><td><xsl:value-of select="h:Tot"/></td><td><xsl:value-of select="h:Dat"/></td><td><xsl:value-of select="h:CanCoGang"/></td></tr></xsl:for-each>
      </tbody>
    </table>
  </xsl:template>

  <xsl:template match="h:NguoiKy">
    <xsl:variable name="signed"><xsl:call-template name="date"><xsl:with-param name="value" select="h:NgayKy"/></xsl:call-template></xsl:variable>
    <h2>Những người ký</h2>
    <dl>
      <xsl:for-each select="h:GiaoVienChuNhiem"><dt>Giáo viên chủ nhiệm</dt><dd><xsl:call-template name="person"/></dd></xsl:for-each>
      <xsl:for-each select="h:LanhDao"><dt><xsl:value-of select="h:ChucVu"/></dt><dd><xsl:call-template name="person"/></dd></xsl:for-each>
      <xsl:call-template name="item"><xsl:with-param name="label">Nơi và ngày ghi trên bảng tổng hợp</xsl:with-param><xsl:with-param name="value" select="concat(h:NoiKy, ', ', $signed)"/></xsl:call-template>
    </dl>
  </xsl:template>

  <xsl:template match="h:ChuKy">
    <h2>Chữ ký số</h2>
    <p class="note">Trang này chỉ liệt kê chữ ký có trong tệp, với tên người ký theo nội dung bảng tổng hợp; không kiểm tra chữ ký. Để kiểm tra, mở địa chỉ tra cứu ở trên.</p>
    <xsl:choose>
      <xsl:when test="ds:Signature">
        <table>
          <caption>Các chữ ký trong tệp, theo thứ tự ký</caption>
          <thead><tr><th scope="col">Số thứ tự</th><th scope="col">Chữ ký</th><th scope="col">Người ký</th><th scope="col">Thời gian ký</th></tr></thead>
          <tbody>
            <xsl:for-each select="ds:Signature">
              <tr>
                <td><xsl:value-of select="position()"/></td>
                <th scope="row"><xsl:value-of select="@Id"/></th>
                <td>
                  <xsl:variable name="signers" select="/h:BangTongHop/h:NoiDung/h:NguoiKy"/>
                  <xsl:choose>
                    <xsl:when test="ds:KeyInfo/ds:X509Data/ds:X509SubjectName"><xsl:value-of select="ds:KeyInfo/ds:X509Data/ds:X509SubjectName"/></xsl:when>
                    <xsl:when test="@Id = 'GVCN'"><xsl:value-of select="$signers/h:GiaoVienChuNhiem/h:HoTen"/></xsl:when>
                    <xsl:when test="@Id = 'CBQL'"><xsl:value-of select="$signers/h:LanhDao/h:HoTen"/></xsl:when>
                    <xsl:when test="@Id = 'KY_PHAT_HANH'"><xsl:value-of select="/h:BangTongHop/h:NoiDung/h:Truong/h:TenTruong"/></xsl:when>
                    <xsl:otherwise>Theo chứng thư số trong chữ ký</xsl:otherwise>
                  </xsl:choose>
                  <xsl:for-each select=".//xades:ClaimedRole"> (<xsl:value-of select="."/>)</xsl:for-each>
                </td>
                <td><xsl:value-of select=".//xades:SigningTime"/></td>
              </tr>
            </xsl:for-each>
          </tbody>
        </table>
      </xsl:when>
      <xsl:otherwise><p>Chưa có chữ ký.</p></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
